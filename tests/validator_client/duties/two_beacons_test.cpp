// Two beacons, of which one lies or was unavailable: what the pool does without a third one to ask.
#include "gtest/gtest.h"
#include "tests/validator_client/support/liar.h"

namespace lean::validator {
namespace {

using Method = FakeBeacon::Method;

// The second of two beacons, after the earlier blocks are known. If both contradict each other, the first one is
// believed.
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

// The second beacon was the only one available for a slot, and repeats the blocks that it invented then.
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
  // Its head is that of the previous slot: it may still receive the block.
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

// Nobody lies here. This is the purpose of the rule: blocks that were followed while the first beacon was unavailable
// are not given up for its old head.
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
