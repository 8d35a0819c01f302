#include "beacon/services/votes/clock_evidence.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>

#include "common/clock/manual_clock.h"

namespace lean::beacon {
namespace {

using std::chrono::milliseconds;

// A beacon whose clock is wrong by as many slots as a test says, among validators who live at the true time.
class ClockEvidenceTest : public testing::Test {
 protected:
  static constexpr uint64_t kGenesisTime = 1'700'000'000;
  static constexpr int64_t kSlotMs = 4'000;
  static constexpr size_t kValidators = 12;

  static int64_t MsOf(int64_t slot) { return static_cast<int64_t>(kGenesisTime) * 1000 + slot * kSlotMs; }

  // By our clock it is now the middle of this slot.
  void SetClock(int64_t slot) { clock_.SetWallMs(MsOf(slot) + kSlotMs / 2); }
  void Advance(int slots) { clock_.Advance(milliseconds(slots * kSlotMs)); }

  // The votes of validators first <= v < end for this slot come in, where the edge lets them pass or they are wanted.
  void Hear(uint64_t slot, uint64_t first, uint64_t end) {
    for (uint64_t validator = first; validator < end; ++validator) {
      evidence_.Heard(slot, validator, clock_.Steady());
    }
  }
  bool IsWanted(uint64_t slot, uint64_t validator) { return evidence_.IsWanted(slot, validator, clock_.Steady()); }
  ClockVerdict Judge() { return evidence_.Judge(clock_.WallMs(), clock_.Steady()); }

  ManualClock clock_{MsOf(100)};
  SeenVotes seen_{kValidators};
  ClockEvidence evidence_{seen_, SlotClock(kGenesisTime, kSlotMs), kValidators};
};

TEST_F(ClockEvidenceTest, WithoutVotesTheClockIsTrusted) {
  EXPECT_FALSE(Judge().wrong);
  EXPECT_EQ(Judge().heard, 0u);
}

TEST_F(ClockEvidenceTest, AThirdOfTheRegistryIsEnoughAndLessIsNot) {
  SetClock(1000);
  Hear(100, 0, kValidators / 3 - 1);
  EXPECT_FALSE(Judge().wrong) << "all that are heard, but less than a third of the registry";
  Hear(100, 0, kValidators / 3);
  const ClockVerdict verdict = Judge();
  EXPECT_TRUE(verdict.wrong);
  EXPECT_EQ(verdict.heard, kValidators / 3);
  EXPECT_EQ(verdict.off, kValidators / 3);
  EXPECT_EQ(verdict.slots_off, -900);
}

TEST_F(ClockEvidenceTest, AThirdIsNotEnoughWhenMostVoteForOurSlot) {
  SetClock(1000);
  Hear(100, 0, 5);
  Hear(1000, 5, kValidators);
  EXPECT_FALSE(Judge().wrong);
  EXPECT_EQ(Judge().off, 5u);
}

TEST_F(ClockEvidenceTest, AClockThatIsBehindIsWrongToo) {
  SetClock(100);
  Hear(103, 0, kValidators);
  EXPECT_TRUE(Judge().wrong);
  EXPECT_EQ(Judge().slots_off, 3);
}

TEST_F(ClockEvidenceTest, OneSlotIsNoDifferenceAndTwoAre) {
  SetClock(100);
  Hear(101, 0, kValidators);
  EXPECT_FALSE(Judge().wrong);
  SetClock(102);
  EXPECT_FALSE(Judge().wrong);
  SetClock(103);
  EXPECT_TRUE(Judge().wrong);
  SetClock(99);
  EXPECT_TRUE(Judge().wrong);
}

// Slots far shorter than what a busy machine may take.
TEST_F(ClockEvidenceTest, VotesThatComeSomeSecondsLateAreNotOff) {
  ClockEvidence evidence(seen_, SlotClock(kGenesisTime, 400), kValidators);
  const auto wrong_after = [&](int ms) {
    return evidence.Judge(MsOf(0) + 400 * 11 + ms, clock_.Steady()).wrong;  // slot 10 has ended so long ago
  };
  for (uint64_t validator = 0; validator < kValidators; ++validator) evidence.Heard(10, validator, clock_.Steady());
  EXPECT_FALSE(wrong_after(3'900));
  EXPECT_TRUE(wrong_after(4'100));
}

TEST_F(ClockEvidenceTest, WhenTheClockIsSetTheSameVotesAreJudgedAnewAtOnce) {
  SetClock(100);
  Hear(100, 0, kValidators);
  EXPECT_FALSE(Judge().wrong);
  SetClock(4000);
  EXPECT_TRUE(Judge().wrong) << "it jumped ahead";
  Advance(3);
  EXPECT_TRUE(Judge().wrong) << "and nothing was heard since";
  SetClock(103);
  EXPECT_FALSE(Judge().wrong) << "three slots later it is right";
}

TEST_F(ClockEvidenceTest, SilenceChangesNothing) {
  SetClock(1000);
  Hear(100, 0, kValidators);
  ASSERT_TRUE(Judge().wrong);
  Advance(10'000);
  EXPECT_TRUE(Judge().wrong);
}

TEST_F(ClockEvidenceTest, ItIsTrustedAgainWhenVotesNameOurSlot) {
  SetClock(100);
  // The others' clocks are ahead, and are set.
  Hear(500, 0, kValidators);
  ASSERT_TRUE(Judge().wrong);
  for (int slot = 101; slot <= 100 + ClockEvidence::kWindowSlots + 1; ++slot) {
    Advance(1);
    Hear(static_cast<uint64_t>(slot), 0, kValidators);
  }
  EXPECT_FALSE(Judge().wrong);
  EXPECT_EQ(Judge().heard, kValidators);
}

TEST_F(ClockEvidenceTest, HalfOfThoseHeardDoNotEndIt) {
  SetClock(1000);
  Hear(100, 0, 8);
  ASSERT_TRUE(Judge().wrong);
  Advance(1);
  Hear(1001, 0, 4);
  EXPECT_TRUE(Judge().wrong);
  Hear(1001, 4, 5);
  EXPECT_FALSE(Judge().wrong);
}

// Anybody can send again what others signed; nobody can sign for them.
TEST_F(ClockEvidenceTest, OldVotesAreNoEvidence) {
  SetClock(1000);
  for (uint64_t validator = 0; validator < kValidators; ++validator) seen_.Add(950, validator, 1000);
  EXPECT_FALSE(IsWanted(900, 0));
  EXPECT_FALSE(IsWanted(950, 0));
  Hear(900, 0, kValidators);
  Hear(950, 0, kValidators);
  EXPECT_EQ(Judge().heard, 0u);
  // Some that never got into a block count, until anything newer is heard of the same validators.
  Hear(960, 0, kValidators);
  EXPECT_TRUE(Judge().wrong);
  Hear(1000, 0, kValidators);
  EXPECT_FALSE(Judge().wrong);
  Hear(970, 0, kValidators);
  EXPECT_FALSE(Judge().wrong);
}

// What it costs to check votes that nobody can import.
TEST_F(ClockEvidenceTest, TwoVotesOfAValidatorAreWantedInASlotsTime) {
  SetClock(100'000);
  size_t wanted = 0;
  for (uint64_t slot = 1; slot <= 8 * 100; ++slot) {
    if (IsWanted(slot, 3)) {
      ++wanted;
      Hear(slot, 3, 4);
    }
    clock_.Advance(milliseconds(kSlotMs / 100));
  }
  EXPECT_GE(wanted, 8u);
  EXPECT_LE(wanted, 16u);
  EXPECT_FALSE(IsWanted(1'000'000, kValidators));
  EXPECT_FALSE(IsWanted(UINT64_MAX, UINT64_MAX));
}

TEST_F(ClockEvidenceTest, AVoteForTheLastSlotOfAllNeitherOverflowsNorSilencesItsValidator) {
  SetClock(100);
  Hear(UINT64_MAX, 0, kValidators);
  EXPECT_TRUE(Judge().wrong);
  EXPECT_GT(Judge().slots_off, 1'000'000);
  Advance(ClockEvidence::kWindowSlots + 1);
  Hear(100 + ClockEvidence::kWindowSlots + 1, 0, kValidators);
  EXPECT_FALSE(Judge().wrong);
}

}  // namespace
}  // namespace lean::beacon
