#include "beacon/services/votes/seen_votes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lean::beacon {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr int64_t kNow = 1000;  // the current slot

TEST(SeenVotes, CountsDistinctValidatorsOfASlot) {
  SeenVotes seen(4);
  seen.Add(7, 2, kNow);
  seen.Add(7, 2, kNow);
  seen.Add(7, 0, kNow);
  seen.Add(8, 1, kNow);
  EXPECT_EQ(seen.Count(7), 2u);
  EXPECT_EQ(seen.Count(8), 1u);
  EXPECT_EQ(seen.Count(9), 0u);
  EXPECT_EQ(seen.footprint().items, 2u) << "slots";
  EXPECT_THAT(seen.Missing(7, 10), ElementsAre(1, 3));
  EXPECT_THAT(seen.Missing(7, 1), ElementsAre(1));
  EXPECT_THAT(seen.Missing(9, 10), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(seen.Missing(9, 0), IsEmpty());
}

TEST(SeenVotes, IgnoresIndicesBeyondTheRegistry) {
  SeenVotes seen(4);
  seen.Add(7, 4, kNow);
  seen.Add(7, UINT64_MAX, kNow);
  EXPECT_EQ(seen.Count(7), 0u);
}

TEST(SeenVotes, RemembersTheNewestSlotsAlone) {
  SeenVotes seen(1);
  for (uint64_t slot = 100; slot < 100 + SeenVotes::kSlots; ++slot) seen.Add(slot, 0, kNow);
  seen.Add(50, 0, kNow);
  EXPECT_EQ(seen.Count(50), 0u);
  seen.Add(200, 0, kNow);
  EXPECT_EQ(seen.Count(100), 0u);
  EXPECT_EQ(seen.Count(101), 1u);
  EXPECT_EQ(seen.Count(200), 1u);
}

TEST(SeenVotes, TellsTheVotersOfEachSlot) {
  SeenVotes seen(3);
  EXPECT_THAT(seen.Voters(), IsEmpty());
  seen.Add(8, 1, kNow);
  seen.Add(7, 2, kNow);
  seen.Add(7, 0, kNow);
  const std::vector<SeenVotes::SlotVoters> voters = seen.Voters();
  ASSERT_EQ(voters.size(), 2u);
  EXPECT_EQ(voters[0].slot, 7u);
  EXPECT_EQ(voters[0].count, 2u);
  EXPECT_THAT(voters[0].voted, ElementsAre(true, false, true));
  EXPECT_EQ(voters[1].slot, 8u);
  EXPECT_THAT(voters[1].voted, ElementsAre(false, true, false));
}

TEST(SeenVotes, RemembersTheLatestVoteOfEachAlways) {
  SeenVotes seen(3);
  seen.Add(0, 2, kNow);
  seen.Add(100, 0, kNow);
  seen.Add(50, 0, kNow);
  for (uint64_t slot = 101; slot < 120; ++slot) seen.Add(slot, 1, kNow);
  seen.Add(7, 2, kNow);  // long after the counted slots
  EXPECT_THAT(seen.Latest({0, 1, 2, 3}), ElementsAre(100, 119, 7, std::nullopt));
  EXPECT_THAT(SeenVotes(1).Latest({0}), ElementsAre(std::nullopt));
}

// Whoever signs votes for slots far ahead and has them in an old block cannot hide what comes after them.
TEST(SeenVotes, SlotsFarAheadAreIgnored) {
  SeenVotes seen(2);
  for (uint64_t slot = 0; slot < 2 * SeenVotes::kSlots; ++slot) seen.Add(10'000 + slot, 0, kNow);
  seen.Add(UINT64_MAX, 0, kNow);
  seen.Add(kNow + 2, 0, kNow);
  EXPECT_THAT(seen.Latest({0}), ElementsAre(std::nullopt));
  seen.Add(kNow, 1, kNow);
  seen.Add(kNow + 1, 1, kNow);
  EXPECT_EQ(seen.Count(kNow), 1u);
  EXPECT_THAT(seen.Latest({1}), ElementsAre(kNow + 1));
  seen.Add(0, 0, -1);
  EXPECT_THAT(seen.Latest({0}), ElementsAre(0)) << "one slot early before genesis";
  seen.Add(0, 1, -2);
  EXPECT_THAT(seen.Latest({1}), ElementsAre(kNow + 1)) << "ignored";
}

TEST(SeenVotes, WhatWasSeenWhileTheClockWasAheadIsForgotten) {
  SeenVotes seen(2);
  for (uint64_t slot = 5000; slot < 5000 + SeenVotes::kSlots; ++slot) seen.Add(slot, 0, 6000);
  seen.Add(kNow, 0, kNow);
  seen.Add(kNow, 1, kNow);
  EXPECT_EQ(seen.Count(kNow), 2u);
  EXPECT_THAT(seen.Latest({0, 1}), ElementsAre(kNow, kNow));
}

}  // namespace
}  // namespace lean::beacon
