#include "tests/bench/load/open_loop.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace lean::load {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Time kBegin{seconds(1000)};

// The calls of an open loop to a server that serves one call at a time, each for 1 ms, and nothing during `stall`.
std::vector<Call> Serve(const std::vector<Time>& arrivals, const Span& stall) {
  std::vector<Call> calls;
  Time free = kBegin;
  for (const Time due : arrivals) {
    Time start = std::max(due, free);
    if (start >= stall.begin && start < stall.end) start = stall.end;
    free = start + milliseconds(1);
    calls.push_back({.due = due, .sent = due, .done = free});
  }
  return calls;
}

std::vector<Time> EveryTenMs(int count) {
  std::vector<Time> times;
  for (int i = 0; i < count; ++i) times.push_back(kBegin + i * milliseconds(10));
  return times;
}

TEST(OpenLoopTest, StallCountsForEveryCallThatWasDueMeanwhile) {
  const Span stall{kBegin + seconds(1), kBegin + seconds(2)};
  const Latencies result = Summarize(Serve(EveryTenMs(1000), stall));
  EXPECT_EQ(result.calls, 1000u);
  EXPECT_DOUBLE_EQ(result.p50, 1);
  // A hundred calls, a tenth of all, were due in the second of the stall. A closed loop would report one slow call.
  EXPECT_GT(result.p99, 900);
  EXPECT_DOUBLE_EQ(result.most, 1001);
}

TEST(OpenLoopTest, LatencyCountsFromWhenTheCallWasDueAndNotFromWhenItWasSent) {
  const Call late{.due = kBegin, .sent = kBegin + milliseconds(30), .done = kBegin + milliseconds(35), .good = false};
  const Latencies result = Summarize({&late, 1});
  EXPECT_DOUBLE_EQ(result.p50, 35);
  EXPECT_DOUBLE_EQ(result.late_p99, 30);
  EXPECT_EQ(result.bad, 1u);
}

TEST(OpenLoopTest, PercentilesAreNearestRanks) {
  std::vector<Call> calls;
  for (int ms = 1; ms <= 1000; ++ms) {
    calls.push_back({.due = kBegin, .sent = kBegin, .done = kBegin + milliseconds(ms)});
  }
  const Latencies result = Summarize(calls);
  EXPECT_DOUBLE_EQ(result.p50, 500);
  EXPECT_DOUBLE_EQ(result.p99, 990);
  EXPECT_DOUBLE_EQ(result.p999, 999);
  EXPECT_DOUBLE_EQ(result.most, 1000);
}

TEST(OpenLoopTest, ArrivalsHaveTheRateAndRepeatForTheirSeed) {
  const std::vector<Time> times = Arrivals(kBegin, seconds(100), 500, /*seed=*/1);
  EXPECT_NEAR(static_cast<double>(times.size()), 50'000, 1'000);  // more than four standard deviations
  EXPECT_TRUE(std::is_sorted(times.begin(), times.end()));
  EXPECT_GE(times.front(), kBegin);
  EXPECT_LT(times.back(), kBegin + seconds(100));
  EXPECT_EQ(times, Arrivals(kBegin, seconds(100), 500, 1));
  EXPECT_NE(times, Arrivals(kBegin, seconds(100), 500, 2));
  EXPECT_TRUE(Arrivals(kBegin, seconds(100), 0, 1).empty());
}

TEST(OpenLoopTest, SelectsCallsByWhenTheyWereDue) {
  const std::vector<Call> calls = Serve(EveryTenMs(10), {});
  const std::vector<Span> spans{{kBegin, kBegin + milliseconds(10)},
                                {kBegin + milliseconds(50), kBegin + milliseconds(71)}};
  const std::vector<Call> within = DueWithin(calls, spans);
  ASSERT_EQ(within.size(), 4u);
  EXPECT_EQ(within[0].due, kBegin);
  EXPECT_EQ(within[1].due, kBegin + milliseconds(50));
  EXPECT_EQ(within[3].due, kBegin + milliseconds(70));
}

TEST(OpenLoopTest, NoCallsHaveNoLatency) {
  const Latencies result = Summarize({});
  EXPECT_EQ(result.calls, 0u);
  EXPECT_EQ(result.most, 0);
}

}  // namespace
}  // namespace lean::load
