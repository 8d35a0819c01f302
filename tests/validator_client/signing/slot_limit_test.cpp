#include "validator_client/signing/slot_limit.h"

#include "common/clock/manual_clock.h"
#include "gtest/gtest.h"

namespace lean::validator {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

constexpr uint64_t kSlotMs = 4000;
constexpr uint64_t kGenesisTime = 1'700'000'000;
constexpr int64_t kGenesisMs = static_cast<int64_t>(kGenesisTime) * 1000;

int64_t SlotMs(int64_t slot) { return kGenesisMs + slot * static_cast<int64_t>(kSlotMs); }

class SlotLimitTest : public ::testing::Test {
 protected:
  ManualClock clock_{SlotMs(50'000)};
  const SlotClock slots_{kGenesisTime, kSlotMs};
};

TEST_F(SlotLimitTest, IsSoFarAboveTheRecordsAndGrowsWithTheSteadyClock) {
  const SlotLimit limit(clock_, kSlotMs);
  EXPECT_EQ(limit.Highest(std::nullopt), 1024);
  EXPECT_EQ(limit.Highest(0), 1024);
  EXPECT_EQ(limit.Highest(8191), 8191 + 1024);
  clock_.Advance(milliseconds(kSlotMs - 1));
  EXPECT_EQ(limit.Highest(std::nullopt), 1024);
  clock_.Advance(milliseconds(1));
  EXPECT_EQ(limit.Highest(std::nullopt), 1025);
  clock_.Advance(hours(1));
  EXPECT_EQ(limit.Highest(std::nullopt), 1025 + 900);
  EXPECT_TRUE(limit.Check(std::nullopt, 1925).ok());
  EXPECT_FALSE(limit.Check(std::nullopt, 1926).ok());
}

TEST_F(SlotLimitTest, TheWallClockDoesNotMoveIt) {
  SlotLimit limit(clock_, kSlotMs);
  clock_.SetWallMs(SlotMs(1'000'000));
  EXPECT_EQ(limit.Highest(std::nullopt), 1024);
  limit.TrustGenesis(slots_);
  EXPECT_EQ(limit.Highest(std::nullopt), 50'000 + 1024) << "what it was at the start";
  clock_.SetWallMs(SlotMs(2'000'000));
  EXPECT_EQ(limit.Highest(std::nullopt), 50'000 + 1024);
}

TEST_F(SlotLimitTest, TheOperatorLiftsIt) {
  const SlotLimit limit(clock_, kSlotMs, 50'000);
  EXPECT_EQ(limit.Highest(std::nullopt), 50'000);
  EXPECT_EQ(limit.Highest(60'000), 61'024) << "never below what it is without";
  clock_.Advance(milliseconds(3 * kSlotMs));
  EXPECT_EQ(limit.Highest(std::nullopt), 50'003) << "and it goes on from there";
}

TEST_F(SlotLimitTest, TheLargestNumberOfTheOperatorDoesNotWrap) {
  const SlotLimit limit(clock_, kSlotMs, ~uint64_t{0});
  clock_.Advance(milliseconds(3 * kSlotMs));
  EXPECT_TRUE(limit.Check(std::nullopt, 4'294'967'295).ok());
}

TEST_F(SlotLimitTest, ACheckedGenesisLetsFreshKeysBeginFarFromIt) {
  SlotLimit limit(clock_, kSlotMs);
  EXPECT_FALSE(limit.Check(std::nullopt, 50'000).ok());
  limit.TrustGenesis(slots_);
  EXPECT_TRUE(limit.Check(std::nullopt, 50'000).ok());
  EXPECT_TRUE(limit.Check(60'000, 60'001).ok()) << "records above count as before";
}

TEST_F(SlotLimitTest, CountsNothingForAStartBeforeGenesis) {
  clock_.SetWallMs(kGenesisMs - 3'600'000);
  SlotLimit limit(clock_, kSlotMs);
  limit.TrustGenesis(slots_);
  EXPECT_EQ(limit.Highest(std::nullopt), 1024);
}

TEST_F(SlotLimitTest, SaysWhatLiftsIt) {
  SlotLimit limit(clock_, kSlotMs);
  EXPECT_EQ(limit.Check(6, 50'000).message(),
            "slot 50000 is above 1030, as far as records and own clock reach: name the network by --genesis or "
            "--genesis-root, or say --allow-slots-to 50000");
  limit.TrustGenesis(slots_);
  EXPECT_EQ(limit.Check(6, 52'000).message(),
            "slot 52000 is above 51024, as far as this process's own clock reaches: the time jumped. Set it right and "
            "start again");
}

}  // namespace
}  // namespace lean::validator
