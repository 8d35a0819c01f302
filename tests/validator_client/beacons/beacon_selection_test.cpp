#include "validator_client/beacons/beacon_selection.h"

#include "gtest/gtest.h"
#include "tests/validator_client/support/fake_beacon.h"

namespace lean::validator {
namespace {

using std::chrono::milliseconds;
using Order = std::vector<size_t>;

constexpr milliseconds kMaxLatency{500};
constexpr milliseconds kQuick{1};

BeaconOrder Rank(const std::vector<BeaconHealth>& beacons, uint64_t known_slot = 0) {
  return RankBeacons(beacons, known_slot, kMaxLatency);
}

BeaconHealth Good(uint64_t head_slot, milliseconds latency = kQuick) {
  return {.ready = true, .on_network = true, .head_slot = head_slot, .latency = latency};
}
BeaconHealth Lost(uint64_t head_slot, uint64_t age_slots) {
  return {.on_network = true, .head_slot = head_slot, .head_age_slots = age_slots, .latency = kQuick};
}
BeaconHealth WithoutPlace(uint64_t head_slot) {
  return {.ready = true, .on_network = true, .lost_place = true, .head_slot = head_slot, .latency = kQuick};
}

TEST(RankBeacons, KeepsTheOperatorsOrderAmongHealthyOnes) {
  EXPECT_EQ(Rank({Good(10, milliseconds(400)), Good(10), Good(10)}).good, (Order{0, 1, 2}));
  EXPECT_TRUE(Rank({}).good.empty());
}

TEST(RankBeacons, NeverAsksOneThatIsNotReady) {
  const BeaconOrder order = Rank({Lost(10, 0), Good(10)});
  EXPECT_EQ(order.good, (Order{1}));
  EXPECT_TRUE(order.reserve.empty());
  EXPECT_TRUE(Rank({Lost(10, 0), Lost(10, 0)}).good.empty());
}

TEST(RankBeacons, KeepsLaggingOnesInReserve) {
  EXPECT_EQ(Rank({Good(5), Good(10), Good(10)}).good, (Order{1, 2}));
  EXPECT_EQ(Rank({Good(5), Good(10), Good(10)}).reserve, (Order{0}));
  EXPECT_EQ(Rank({Good(10 - kMaxLagSlots), Good(10), Good(10)}).good, (Order{1, 2, 0}));
  EXPECT_EQ(Rank({Good(9 - kMaxLagSlots), Good(10), Good(10)}).reserve, (Order{0}));
}

TEST(RankBeacons, WhatASingleOneClaimsMovesNobody) {
  for (const uint64_t claim : {11u, 13u, 1000u}) {
    EXPECT_EQ(Rank({Good(10), Good(claim)}).good, (Order{0, 1})) << claim;
    EXPECT_EQ(Rank({Good(claim), Good(10)}).good, (Order{0, 1})) << claim;
    EXPECT_EQ(Rank({Good(10), Good(claim), Good(10)}).good, (Order{0, 1, 2})) << claim;
    EXPECT_EQ(Rank({Good(10), Good(10), Lost(claim, 0)}).good, (Order{0, 1})) << claim;
    EXPECT_EQ(Rank({Good(0), Good(10), Good(claim), Good(10)}).good, (Order{1, 2, 3})) << claim;
  }
}

TEST(RankBeacons, ABlockThatTheClientKnowsBearsOutAClaim) {
  EXPECT_EQ(Rank({Good(0), Good(30)}, 30).reserve, (Order{0}));
  EXPECT_EQ(Rank({Good(29), Good(30)}, 30).good, (Order{1, 0}));
  EXPECT_EQ(Rank({Good(0)}, 30).reserve, (Order{0})) << "better than no duties";
}

TEST(RankBeacons, RemembersTheHeadsOfThoseThatWereLost) {
  EXPECT_EQ(Rank({Good(0), Lost(30, kHeadMemorySlots), Lost(30, 0)}).reserve, (Order{0}));
  EXPECT_EQ(Rank({Good(0), Lost(30, kHeadMemorySlots + 1), Lost(30, 0)}).good, (Order{0}));
}

TEST(RankBeacons, IgnoresTheHeadOfAnotherNetwork) {
  const BeaconHealth foreign{.ready = false, .on_network = false, .head_slot = 30};
  EXPECT_EQ(Rank({Good(0), foreign, foreign}).good, (Order{0}));
}

TEST(RankBeacons, ABeaconAloneNeverLags) { EXPECT_EQ(Rank({Good(0)}).good, (Order{0})); }

TEST(RankBeacons, PutsOneThatLacksABlockLast) {
  EXPECT_EQ(Rank({Good(9), Good(10, kMaxLatency * 2), Good(10)}).good, (Order{2, 1, 0}));
}

TEST(RankBeacons, PutsSlowOnesAfterTheOthers) {
  EXPECT_EQ(Rank({Good(10, kMaxLatency + kQuick), Good(10, kMaxLatency), Good(10)}).good, (Order{1, 2, 0}));
  EXPECT_EQ(Rank({Good(10, kMaxLatency * 2), Good(10, kMaxLatency * 3)}).good, (Order{0, 1}));
}

TEST(RankBeacons, OneThatHasLostItsPlaceIsTheLastResort) {
  EXPECT_EQ(Rank({WithoutPlace(10), Good(10)}).good, (Order{1}));
  EXPECT_EQ(Rank({WithoutPlace(10), Good(10), Good(10), Good(0)}).reserve, (Order{3, 0}));
  EXPECT_EQ(Rank({WithoutPlace(10)}).reserve, (Order{0}));
}

TEST(AttemptTimeout, LeavesHalfOfTheTimeForTheNext) {
  EXPECT_EQ(AttemptTimeout(milliseconds(1000), 3), milliseconds(500));
  EXPECT_EQ(AttemptTimeout(milliseconds(500), 2), milliseconds(250));
  EXPECT_EQ(AttemptTimeout(milliseconds(250), 1), milliseconds(250));
}

}  // namespace

namespace {

constexpr uint64_t kLostAt = 100;

TEST(BeaconStanding, TwoFailuresInARowCostThePlaceForAWhile) {
  BeaconStanding standing;
  standing.DutyFailed(kLostAt);
  EXPECT_FALSE(standing.has_lost_place(kLostAt));
  standing.DutyAnswered();
  standing.DutyFailed(kLostAt);
  EXPECT_FALSE(standing.has_lost_place(kLostAt)) << "not in a row";
  standing.DutyFailed(kLostAt);
  EXPECT_TRUE(standing.has_lost_place(kLostAt));
  EXPECT_TRUE(standing.has_lost_place(kLostAt + kUnreliableSlots - 1));
  EXPECT_FALSE(standing.has_lost_place(kLostAt + kUnreliableSlots));
  standing.DutyFailed(kLostAt + kUnreliableSlots);
  EXPECT_FALSE(standing.has_lost_place(kLostAt + kUnreliableSlots)) << "counted anew";
}

TEST(BeaconStanding, ADisprovedClaimCostsThePlaceForLonger) {
  BeaconStanding standing;
  standing.Claim({FakeRoot(1), kLostAt});
  standing.ClaimDisproved(kLostAt);
  EXPECT_EQ(standing.claim(), std::nullopt);
  EXPECT_TRUE(standing.has_lost_place(kLostAt + kDisprovedSlots - 1));
  EXPECT_FALSE(standing.has_lost_place(kLostAt + kDisprovedSlots));
}

TEST(BeaconStanding, AShorterLossDoesNotEndALongerOne) {
  BeaconStanding standing;
  standing.ClaimDisproved(kLostAt);
  for (int i = 0; i < kMaxFailures; ++i) standing.DutyFailed(kLostAt + 1);
  EXPECT_TRUE(standing.has_lost_place(kLostAt + kDisprovedSlots - 1));
}

TEST(BeaconStanding, TheOldestClaimStaysUntilItIsSettled) {
  BeaconStanding standing;
  standing.Claim({FakeRoot(1), kLostAt});
  standing.Claim({FakeRoot(2), kLostAt + 1});
  EXPECT_EQ(standing.claim(), (Checkpoint{FakeRoot(1), kLostAt}));
  standing.DropClaim();
  standing.Claim({FakeRoot(3), kLostAt + 2});
  EXPECT_EQ(standing.claim(), (Checkpoint{FakeRoot(3), kLostAt + 2}));
}

}  // namespace

}  // namespace lean::validator
