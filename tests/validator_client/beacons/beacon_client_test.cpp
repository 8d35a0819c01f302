#include "validator_client/beacons/beacon_client.h"

#include "gtest/gtest.h"

namespace lean::validator {
namespace {

using Status = SubmitResult::Status;

TEST(AllTaken, IsTrueOnlyWhenEveryItemIsInAChain) {
  EXPECT_TRUE(AllTaken({{Status::kAccepted, "", ""}, {Status::kAlreadyKnown, "", ""}}));
  EXPECT_FALSE(AllTaken({{Status::kAccepted, "", ""}, {Status::kQueued, "UNKNOWN_PARENT", ""}}));
  EXPECT_FALSE(AllTaken({{Status::kRefused, "STALE", ""}}));
}

TEST(BetterOf, TakesTheBetterResultOfEachItem) {
  const auto better =
      BetterOf({{Status::kRefused, "STALE", ""}, {Status::kAccepted, "", ""}, {Status::kQueued, "Q", ""}},
               {{Status::kQueued, "EARLY", ""}, {Status::kRefused, "R", ""}, {Status::kRefused, "", ""}});
  ASSERT_EQ(better.size(), 3);
  EXPECT_EQ(better[0].status, Status::kQueued);
  EXPECT_EQ(better[0].reason, "EARLY");
  EXPECT_EQ(better[1].status, Status::kAccepted);
  EXPECT_EQ(better[2].reason, "Q");
}

}  // namespace
}  // namespace lean::validator
