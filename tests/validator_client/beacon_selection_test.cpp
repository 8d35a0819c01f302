#include "validator_client/beacon_selection.h"

#include "gtest/gtest.h"

namespace lean::validator {
namespace {

using std::chrono::milliseconds;
using Order = std::vector<size_t>;

constexpr milliseconds kMaxLatency{500};

Order Rank(const std::vector<BeaconHealth>& beacons) { return RankBeacons(beacons, kMaxLatency); }

TEST(RankBeacons, KeepsTheOperatorsOrderAmongHealthyOnes) {
  EXPECT_EQ(Rank({{true, 10, milliseconds(400)}, {true, 11, milliseconds(1)}, {true, 12, milliseconds(2)}}),
            (Order{0, 1, 2}));
  EXPECT_EQ(Rank({}), (Order{}));
}

TEST(RankBeacons, NeverAsksOneThatIsNotReady) {
  EXPECT_EQ(Rank({{false, 10, milliseconds(1)}, {true, 10, milliseconds(1)}}), (Order{1}));
  EXPECT_EQ(Rank({{false, 10, milliseconds(1)}, {false, 10, milliseconds(1)}}), (Order{}));
}

TEST(RankBeacons, PutsALaggingOneLast) {
  EXPECT_EQ(Rank({{true, 5, milliseconds(1)}, {true, 10, milliseconds(1)}}), (Order{1, 0}));
  EXPECT_EQ(Rank({{true, 10 - kMaxLagSlots, milliseconds(1)}, {true, 10, milliseconds(1)}}), (Order{0, 1}));
  EXPECT_EQ(Rank({{true, 9 - kMaxLagSlots, milliseconds(1)}, {true, 10, milliseconds(1)}}), (Order{1, 0}));
}

TEST(RankBeacons, MeasuresLagByReadyOnesAlone) {
  EXPECT_EQ(Rank({{true, 5, milliseconds(1)}, {false, 1000, milliseconds(1)}, {true, 6, milliseconds(1)}}),
            (Order{0, 2}));
}

TEST(RankBeacons, PutsASlowOneBetweenHealthyAndLagging) {
  EXPECT_EQ(Rank({{true, 5, milliseconds(1)},
                  {true, 10, kMaxLatency + milliseconds(1)},
                  {true, 10, kMaxLatency},
                  {true, 9, milliseconds(1)}}),
            (Order{2, 3, 1, 0}));
}

TEST(RankBeacons, TakesTheFirstWhenAllAreAlike) {
  EXPECT_EQ(Rank({{true, 0, kMaxLatency * 2}, {true, 0, kMaxLatency * 3}}), (Order{0, 1}));
}

TEST(AttemptTimeout, LeavesHalfOfTheTimeForTheNext) {
  EXPECT_EQ(AttemptTimeout(milliseconds(1000), 3), milliseconds(500));
  EXPECT_EQ(AttemptTimeout(milliseconds(500), 2), milliseconds(250));
  EXPECT_EQ(AttemptTimeout(milliseconds(250), 1), milliseconds(250));
}

}  // namespace
}  // namespace lean::validator
