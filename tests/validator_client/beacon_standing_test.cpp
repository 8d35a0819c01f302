#include "validator_client/beacon_standing.h"

#include "gtest/gtest.h"
#include "tests/validator_client/support/fake_beacon.h"

namespace lean::validator {
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
