// One of several beacons lies, in every way and at every position. The pool chooses the answers of the honest beacons.
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/validator_client/support/liar.h"

namespace lean::validator {
namespace {

// The liar is at each position among three or four beacons, and lies from the start or after a while.
TEST(LyingBeacon, OneOfThreeOrMoreChangesNothing) {
  for (const size_t count : {3u, 4u}) {
    for (size_t liar = 0; liar < count; ++liar) {
      for (const Lie& lie : Lies()) {
        for (const uint64_t honest_slots : {0u, 5u}) {
          SCOPED_TRACE(absl::StrCat("beacon ", liar, " of ", count, " tells ", lie.name, " after ", honest_slots));
          Beacons beacons(count, liar);
          for (uint64_t slot = kFirstSlot; slot < kFirstSlot + kSlots; ++slot) {
            if (slot == kFirstSlot + honest_slots) lie.tell(beacons);
            ExpectHonestDuties(beacons, slot);
          }
        }
      }
    }
  }
}

bool IsReal(const Checkpoint& block) { return block == Real(block.slot); }

// One of three beacons lies, and one of the others is behind. Only real blocks are signed, possibly old ones, and no
// duty is missed.
TEST(LyingBeacon, BesideOneThatLagsItInventsNothing) {
  for (size_t liar = 0; liar < 3; ++liar) {
    for (size_t lagging = 0; lagging < 3; ++lagging) {
      if (lagging == liar) continue;
      for (const Lie& lie : Lies()) {
        for (const uint64_t slots : {1u, 2u, 3u, 6u}) {
          SCOPED_TRACE(absl::StrCat("beacon ", liar, " tells ", lie.name, ", ", lagging, " lags by ", slots));
          Beacons beacons(3, liar);
          for (uint64_t slot = kFirstSlot; slot < kFirstSlot + kSlots; ++slot) {
            if (slot == kFirstSlot + 3) beacons.LetLag(lagging, slots);
            if (slot == kFirstSlot + 4) lie.tell(beacons);
            beacons.Begin(slot);
            const auto block = beacons.Block();
            ASSERT_TRUE(block.ok()) << block.status();
            EXPECT_NE(block->answer.block.parent_root, Invented(slot - 1).root);
            EXPECT_TRUE(IsReal(block->answer.proposer_attestation.data.target));
            EXPECT_TRUE(IsReal(block->answer.proposer_attestation.data.source));
            const auto vote = beacons.Vote();
            ASSERT_TRUE(vote.ok()) << vote.status();
            for (const Checkpoint& named : BlocksOf(vote->data)) EXPECT_TRUE(IsReal(named)) << named.slot;
            EXPECT_TRUE(beacons.Submit(vote->builder));
          }
        }
      }
    }
  }
}

// Our clock stopped while the machine was suspended. The liar is the first beacon and agrees with our clock.
TEST(LyingBeacon, OneOfThreeDoesNotSayWhatTimeItIs) {
  Beacons beacons(3, 0);
  beacons.ForHonest([](FakeBeacon& beacon) {
    beacon.bend_duties = [honest = beacon.bend_duties](DutiesAnswer& answer) {
      honest(answer);
      answer.time_ms += 60'000;
    };
  });
  beacons.Begin(kFirstSlot);
  EXPECT_EQ(beacons.pool().clock_offset_ms(), 60'000);
}

TEST(LyingBeacon, AloneItIsTakenAtItsWord) {
  Beacons beacons(1, 0);
  BendVote([](AttestationData& data, uint64_t slot) { data.head = Invented(slot); })(beacons);
  beacons.Begin(kFirstSlot);
  const auto vote = beacons.Vote();
  ASSERT_TRUE(vote.ok()) << vote.status();
  EXPECT_EQ(vote->data.head, Invented(kFirstSlot));
}

TEST(LyingBeacon, ADisprovedClaimCostsThePlace) {
  Beacons beacons(3, 0);
  beacons.Begin(kFirstSlot);
  EXPECT_EQ(beacons.pool().best(), 0u);
  BendVote([](AttestationData& data, uint64_t slot) { data.head = Invented(slot); })(beacons);
  ASSERT_TRUE(beacons.Vote().ok());
  beacons.Begin(kFirstSlot + 1);
  EXPECT_EQ(beacons.pool().best(), 1u);
  EXPECT_EQ(beacons.log().Count("warning beacon loses its place beacon=liar:0 slots=64"), 1) << beacons.log().text();
  beacons.Begin(kFirstSlot + 1 + kDisprovedSlots);
  EXPECT_EQ(beacons.pool().best(), 0u) << "it gets another chance";
}

TEST(LyingBeacon, ABlockThatNoOtherTakesCostsItsBuilderThePlace) {
  for (const bool good : {true, false}) {
    SCOPED_TRACE(good);
    Beacons beacons(3, 0);
    ExpectHonestDuties(beacons, kFirstSlot);
    beacons.Begin(kFirstSlot + 1);
    BuiltBlock block;  // of the first beacon
    block.answer.proposer_attestation.data.head = Invented(beacons.slot());
    ASSERT_TRUE(beacons.Submit(block).ok()) << "its builder says that it took it";
    if (good) beacons.at(1).held_blocks[Invented(beacons.slot()).root] = beacons.slot();
    beacons.Begin(kFirstSlot + 2);
    EXPECT_EQ(beacons.pool().best(), good ? 0u : 1u) << beacons.log().text();
  }
}

TEST(LyingBeacon, ABeaconThatIsBehindDisprovesNothing) {
  Beacons beacons(3, 0);
  beacons.Begin(kFirstSlot);
  beacons.LetLag(1, 1);
  beacons.LetLag(2, 1);
  BendVote([](AttestationData& data, uint64_t slot) { data.head = Invented(slot); })(beacons);
  ASSERT_TRUE(beacons.Vote().ok());
  beacons.Begin(kFirstSlot + 1);
  EXPECT_EQ(beacons.pool().best(), 0u) << "the others may get the block yet";
  beacons.Begin(kFirstSlot + 2);
  EXPECT_EQ(beacons.pool().best(), 1u);
}

TEST(LyingBeacon, ABlockThatTheOthersGetALittleLaterCostsNothing) {
  Beacons beacons(3, 0);
  beacons.Begin(kFirstSlot);
  BendVote([](AttestationData& data, uint64_t slot) { data.head = Invented(slot); })(beacons);
  ASSERT_TRUE(beacons.Vote().ok());
  beacons.ForHonest([](FakeBeacon& beacon) { beacon.held_blocks[Invented(kFirstSlot).root] = kFirstSlot; });
  beacons.Begin(kFirstSlot + 1);
  EXPECT_EQ(beacons.pool().best(), 0u);
  EXPECT_EQ(beacons.log().Count("loses its place"), 0) << beacons.log().text();
}

// Only one beacon has the head yet.
TEST(LyingBeacon, HonestOnesThatDifferFindTheNewestBlockThatAnotherOneHas) {
  Beacons beacons(3, 0);
  beacons.Begin(kFirstSlot);
  ASSERT_TRUE(beacons.Vote().ok());
  beacons.Begin(kFirstSlot + 1);
  // The first beacon votes for the block of this slot. The two others do not yet, and their targets differ.
  size_t number = 0;
  beacons.ForHonest([&number, &beacons](FakeBeacon& beacon) {
    const uint64_t back = ++number;
    beacon.bend_vote = [back, &beacons](VoteDataAnswer& answer) {
      const uint64_t slot = beacons.slot();
      answer.data = {slot, Real(slot - 1), Real(slot - 1 - back), Real(slot - 3)};
    };
  });
  beacons.ForHonest([](FakeBeacon& beacon) {
    for (uint64_t slot = kFirstSlot - 3; slot <= kFirstSlot + 1; ++slot) beacon.held_blocks[Real(slot).root] = slot;
  });
  beacons.liar().held_blocks[Real(kFirstSlot - 2).root] = kFirstSlot - 2;
  const auto vote = beacons.Vote();
  ASSERT_TRUE(vote.ok()) << vote.status();
  EXPECT_EQ(vote->data.head, Real(kFirstSlot + 1));
}

}  // namespace
}  // namespace lean::validator
