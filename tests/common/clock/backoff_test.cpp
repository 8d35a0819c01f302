#include "common/clock/backoff.h"

#include <vector>

#include "gtest/gtest.h"

namespace lean {
namespace {

using std::chrono::milliseconds;

TEST(Backoff, DoublesUpToTheCeilingWithJitterOfHalf) {
  Backoff backoff(milliseconds(250), milliseconds(4000), 7);
  for (const int64_t step : {250, 500, 1000, 2000, 4000, 4000, 4000}) {
    const int64_t delay = backoff.Next().count();
    EXPECT_GE(delay, step / 2);
    EXPECT_LE(delay, step);
  }
}

TEST(Backoff, BeginsAnewAfterReset) {
  Backoff backoff(milliseconds(250), milliseconds(4000), 7);
  for (int i = 0; i < 5; ++i) backoff.Next();
  backoff.Reset();
  EXPECT_LE(backoff.Next().count(), 250);
}

TEST(Backoff, FollowsItsSeed) {
  const auto delays = [](uint64_t seed) {
    Backoff backoff(milliseconds(1000), milliseconds(64000), seed);
    std::vector<milliseconds> result;
    for (int i = 0; i < 6; ++i) result.push_back(backoff.Next());
    return result;
  };
  EXPECT_EQ(delays(1), delays(1));
  EXPECT_NE(delays(1), delays(2));
}

}  // namespace
}  // namespace lean
