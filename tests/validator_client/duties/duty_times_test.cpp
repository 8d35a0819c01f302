#include "validator_client/duties/duty_times.h"

#include "gtest/gtest.h"
#include "tests/common/process/captured_log.h"

namespace lean::validator {
namespace {

TEST(MsHistogram, HasNothingToSayAboutNothing) {
  const MsHistogram times;
  EXPECT_EQ(times.count(), 0);
  EXPECT_EQ(times.PercentileMs(99), 0);
}

TEST(MsHistogram, NamesTheBoundOfThePercentilesBucket) {
  MsHistogram times;
  for (int64_t ms = 1; ms <= 100; ++ms) times.Add(ms);
  EXPECT_EQ(times.count(), 100);
  EXPECT_EQ(times.PercentileMs(1), 1);
  EXPECT_EQ(times.PercentileMs(2), 2);
  EXPECT_EQ(times.PercentileMs(3), 5);
  EXPECT_EQ(times.PercentileMs(50), 50);
  EXPECT_EQ(times.PercentileMs(51), 100);
  EXPECT_EQ(times.PercentileMs(100), 100);
}

TEST(MsHistogram, NeverNamesMoreThanTheMaximum) {
  MsHistogram times;
  times.Add(0);
  EXPECT_EQ(times.PercentileMs(50), 0);
  times.Add(60'000);
  EXPECT_EQ(times.PercentileMs(50), 1);
  EXPECT_EQ(times.PercentileMs(100), 60'000) << "above the last bound";
  EXPECT_EQ(times.max_ms(), 60'000);
}

TEST(DutyTimes, LogsALineForEachStage) {
  CapturedLog log;
  DutyTimes times("block");
  times.Log(*log.logger());
  EXPECT_TRUE(log.lines().empty());
  times.Add(3, 4, 5, 15);
  times.Log(*log.logger());
  EXPECT_EQ(log.lines().size(), 4);
  EXPECT_EQ(log.Count("info duty times duty=block stage=done count=1 p50_ms=15 p95_ms=15 p99_ms=15 max_ms=15"), 1)
      << log.text();
}

}  // namespace
}  // namespace lean::validator
