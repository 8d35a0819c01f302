#include "validator_client/beacon_selection.h"

#include "gtest/gtest.h"

namespace lean::validator {
namespace {

using std::chrono::milliseconds;
using Order = std::vector<size_t>;

constexpr milliseconds kMaxLatency{500};
constexpr milliseconds kQuick{1};

BeaconOrder Rank(const std::vector<BeaconHealth>& beacons) { return RankBeacons(beacons, kMaxLatency); }

BeaconHealth Good(uint64_t head_slot, milliseconds latency = kQuick) { return {true, true, head_slot, 0, latency}; }
BeaconHealth Lost(uint64_t head_slot, uint64_t age_slots) { return {false, true, head_slot, age_slots, kQuick}; }

TEST(RankBeacons, KeepsTheOperatorsOrderAmongHealthyOnes) {
  EXPECT_EQ(Rank({Good(10, milliseconds(400)), Good(10), Good(10)}).good, (Order{0, 1, 2}));
  EXPECT_TRUE(Rank({}).good.empty());
}

TEST(RankBeacons, NeverAsksOneThatIsNotReady) {
  const BeaconOrder order = Rank({Lost(10, 0), Good(10)});
  EXPECT_EQ(order.good, (Order{1}));
  EXPECT_TRUE(order.lagging.empty());
  EXPECT_TRUE(Rank({Lost(10, 0), Lost(10, 0)}).good.empty());
}

TEST(RankBeacons, KeepsLaggingOnesApart) {
  EXPECT_EQ(Rank({Good(5), Good(10)}).good, (Order{1}));
  EXPECT_EQ(Rank({Good(5), Good(10)}).lagging, (Order{0}));
  EXPECT_EQ(Rank({Good(10 - kMaxLagSlots), Good(10)}).good, (Order{1, 0}));
  EXPECT_EQ(Rank({Good(9 - kMaxLagSlots), Good(10)}).lagging, (Order{0}));
}

TEST(RankBeacons, RemembersTheHeadOfOneThatWasLost) {
  EXPECT_EQ(Rank({Good(0), Lost(30, kHeadMemorySlots)}).lagging, (Order{0}));
  EXPECT_EQ(Rank({Good(0), Lost(30, kHeadMemorySlots + 1)}).good, (Order{0})) << "better than no duties for ever";
}

TEST(RankBeacons, IgnoresTheHeadOfAnotherNetwork) {
  EXPECT_EQ(Rank({Good(0), {false, false, 30, 0, kQuick}}).good, (Order{0}));
}

TEST(RankBeacons, ABeaconAloneNeverLags) { EXPECT_EQ(Rank({Good(0)}).good, (Order{0})); }

TEST(RankBeacons, PutsOneThatLacksABlockLast) {
  EXPECT_EQ(Rank({Good(9), Good(10, kMaxLatency * 2), Good(10)}).good, (Order{2, 1, 0}));
}

TEST(RankBeacons, PutsSlowOnesAfterTheOthers) {
  EXPECT_EQ(Rank({Good(10, kMaxLatency + kQuick), Good(10, kMaxLatency), Good(10)}).good, (Order{1, 2, 0}));
  EXPECT_EQ(Rank({Good(10, kMaxLatency * 2), Good(10, kMaxLatency * 3)}).good, (Order{0, 1}));
}

TEST(AttemptTimeout, LeavesHalfOfTheTimeForTheNext) {
  EXPECT_EQ(AttemptTimeout(milliseconds(1000), 3), milliseconds(500));
  EXPECT_EQ(AttemptTimeout(milliseconds(500), 2), milliseconds(250));
  EXPECT_EQ(AttemptTimeout(milliseconds(250), 1), milliseconds(250));
}

}  // namespace
}  // namespace lean::validator
