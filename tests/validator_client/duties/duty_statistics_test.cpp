#include "validator_client/duties/duty_statistics.h"

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

Attestation Vote(uint64_t validator, uint64_t source, uint64_t target) {
  Attestation vote;
  vote.validator_id = validator;
  vote.data.source.slot = source;
  vote.data.target.slot = target;
  return vote;
}

TEST(VoteStatistics, CountsRepeatedTargetsAndSurroundingVotes) {
  VoteStatistics statistics;
  statistics.Add(Vote(0, 2, 6));
  EXPECT_EQ(statistics.counts().repeated_targets, 0);
  statistics.Add(Vote(0, 2, 6));
  EXPECT_EQ(statistics.counts().repeated_targets, 1);
  EXPECT_EQ(statistics.counts().surrounding, 0);
  statistics.Add(Vote(0, 1, 9));  // around the others
  EXPECT_EQ(statistics.counts().surrounding, 1);
  statistics.Add(Vote(0, 3, 7));  // within the last
  EXPECT_EQ(statistics.counts().surrounding, 2);
  statistics.Add(Vote(0, 9, 12));
  EXPECT_EQ(statistics.counts().surrounding, 2);
  EXPECT_EQ(statistics.counts().repeated_targets, 1);
}

TEST(VoteStatistics, KnowsValidatorsApartAndForgetsOldVotes) {
  VoteStatistics statistics;
  statistics.Add(Vote(0, 2, 6));
  statistics.Add(Vote(1, 2, 6));
  EXPECT_EQ(statistics.counts().repeated_targets, 0);
  for (uint64_t i = 0; i < VoteStatistics::kKept; ++i) statistics.Add(Vote(0, 10, 20 + i));
  statistics.Add(Vote(0, 2, 6));
  EXPECT_EQ(statistics.counts().repeated_targets, 0) << "the first vote is no longer kept";
}

}  // namespace
}  // namespace lean::validator
