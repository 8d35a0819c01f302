// With two beacons, one of which lies or was away: what the pool goes by when there is no third one to ask.
#include "gtest/gtest.h"
#include "tests/validator_client/support/liar.h"

namespace lean::validator {
namespace {

using Method = FakeBeacon::Method;

// The second of two, once the blocks before are known: the first one is believed where both contradict each other.
TEST(TwoBeacons, TheSecondOfTwoChangesNothing) {
  for (const Lie& lie : Lies()) {
    SCOPED_TRACE(lie.name);
    Beacons beacons(2, 1);
    for (uint64_t slot = kFirstSlot; slot < kFirstSlot + kSlots; ++slot) {
      if (slot == kFirstSlot + 2) lie.tell(beacons);
      ExpectHonestDuties(beacons, slot);
    }
  }
}

// The second of two was the only one for a slot, and stands by what it invented then.
TEST(TwoBeacons, WhatItInventedWhileItWasTheOnlyOneOfTwoIsForgotten) {
  Beacons beacons(2, 1);
  uint64_t slot = kFirstSlot;
  for (; slot < kFirstSlot + 2; ++slot) ExpectHonestDuties(beacons, slot);
  beacons.at(0).fail[Method::kGetDuties] = absl::UnavailableError("away");
  const uint64_t alone = slot;
  beacons.liar().bend_vote = [&beacons, alone](VoteDataAnswer& answer) {
    answer.data = {beacons.slot(), Invented(alone), Invented(alone), Invented(alone)};
  };
  beacons.liar().bend_block = [alone](BuiltBlockAnswer& answer) {
    answer.block.parent_root = Invented(alone).root;
    answer.proposer_attestation.data.target = answer.proposer_attestation.data.source = Invented(alone);
  };
  beacons.Begin(slot++);
  ASSERT_EQ(beacons.Vote()->data.head, Invented(alone)) << "there is nobody else to ask";
  beacons.at(0).fail.clear();
  // Its head is that of the slot before: it may have the block yet.
  beacons.Begin(slot++);
  for (; slot < kFirstSlot + kSlots; ++slot) {
    beacons.Begin(slot);
    const auto vote = beacons.Vote();
    ASSERT_TRUE(vote.ok()) << vote.status();
    EXPECT_EQ(vote->data.head, Real(slot));
    const auto block = beacons.Block();
    ASSERT_TRUE(block.ok()) << block.status();
    EXPECT_EQ(block->answer.block.parent_root, Real(slot - 1).root);
  }
}

// No lie, but what the rule is for: what was followed in while the first of two was away is not given up for its old
// head.
TEST(TwoBeacons, TheFirstOfTwoThatComesBackBehindIsNotFollowed) {
  Beacons beacons(2, 0);
  beacons.at(0).fail[Method::kGetDuties] = absl::UnavailableError("away");
  uint64_t slot = kFirstSlot;
  for (; slot < kFirstSlot + 4; ++slot) {
    beacons.Begin(slot);
    ASSERT_EQ(beacons.Vote()->data.head, Real(slot));
  }
  beacons.at(0).fail.clear();
  beacons.LetLag(0, 6);
  for (; slot < kFirstSlot + 6; ++slot) {
    beacons.Begin(slot);
    const auto vote = beacons.Vote();
    ASSERT_TRUE(vote.ok()) << vote.status();
    EXPECT_EQ(vote->data.head, Real(slot));
  }
}

}  // namespace
}  // namespace lean::validator
