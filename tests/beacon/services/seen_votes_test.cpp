#include "beacon/services/seen_votes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lean::beacon {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(SeenVotes, CountsDistinctValidatorsOfASlot) {
  SeenVotes seen(4);
  seen.Add(7, 2);
  seen.Add(7, 2);
  seen.Add(7, 0);
  seen.Add(8, 1);
  EXPECT_EQ(seen.Count(7), 2u);
  EXPECT_EQ(seen.Count(8), 1u);
  EXPECT_EQ(seen.Count(9), 0u);
  EXPECT_THAT(seen.Missing(7, 10), ElementsAre(1, 3));
  EXPECT_THAT(seen.Missing(7, 1), ElementsAre(1));
  EXPECT_THAT(seen.Missing(9, 10), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(seen.Missing(9, 0), IsEmpty());
}

TEST(SeenVotes, IgnoresIndicesBeyondTheRegistry) {
  SeenVotes seen(4);
  seen.Add(7, 4);
  seen.Add(7, UINT64_MAX);
  EXPECT_EQ(seen.Count(7), 0u);
}

TEST(SeenVotes, RemembersTheNewestSlotsAlone) {
  SeenVotes seen(1);
  for (uint64_t slot = 100; slot < 100 + SeenVotes::kSlots; ++slot) seen.Add(slot, 0);
  seen.Add(50, 0);
  EXPECT_EQ(seen.Count(50), 0u);
  seen.Add(200, 0);
  EXPECT_EQ(seen.Count(100), 0u);
  EXPECT_EQ(seen.Count(101), 1u);
  EXPECT_EQ(seen.Count(200), 1u);
}

TEST(SeenVotes, RemembersTheLatestVoteOfEachAlways) {
  SeenVotes seen(3);
  seen.Add(0, 2);
  seen.Add(100, 0);
  seen.Add(50, 0);
  for (uint64_t slot = 101; slot < 120; ++slot) seen.Add(slot, 1);
  seen.Add(7, 2);  // long after the counted slots
  EXPECT_THAT(seen.Latest({0, 1, 2, 3}), ElementsAre(100, 119, 7, std::nullopt));
  EXPECT_THAT(SeenVotes(1).Latest({0}), ElementsAre(std::nullopt));
}

}  // namespace
}  // namespace lean::beacon
