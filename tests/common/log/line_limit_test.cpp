#include "common/log/line_limit.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace lean {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::FieldsAre;
using ::testing::IsEmpty;

constexpr LineLimit::Time kStart{};
constexpr seconds kPeriod = LineLimit::kPeriod;

TEST(LineLimit, WritesTheFirstAndCountsTheRestOfTheMinute) {
  LineLimit limit;
  EXPECT_TRUE(limit.Admit("refused", kStart));
  for (int i = 0; i < 4095; ++i) EXPECT_FALSE(limit.Admit("refused", kStart + seconds(1)));
  EXPECT_TRUE(limit.Admit("another", kStart + seconds(1)));
  EXPECT_THAT(limit.TakeLeftOut(kStart + seconds(59)), IsEmpty());
  EXPECT_THAT(limit.TakeLeftOut(kStart + kPeriod), ElementsAre(FieldsAre("refused", 4095u)));
}

TEST(LineLimit, OneCountForEachMinuteAsLongAsItGoesOn) {
  LineLimit limit;
  EXPECT_TRUE(limit.Admit("refused", kStart));
  int written = 1;
  uint64_t counted = 0;
  int counts = 0;
  for (int second = 1; second <= 600; ++second) {
    const LineLimit::Time now = kStart + seconds(second);
    for (const auto& left_out : limit.TakeLeftOut(now)) {
      counted += left_out.lines;
      ++counts;
    }
    written += limit.Admit("refused", now) ? 1 : 0;
  }
  EXPECT_EQ(written, 1);
  EXPECT_EQ(counts, 10);
  EXPECT_EQ(counted, 599u);
}

TEST(LineLimit, AfterAMinuteWithoutAnyTheNextIsWritten) {
  LineLimit limit;
  EXPECT_TRUE(limit.Admit("refused", kStart));
  EXPECT_FALSE(limit.Admit("refused", kStart + seconds(1)));
  EXPECT_THAT(limit.TakeLeftOut(kStart + kPeriod), ElementsAre(FieldsAre("refused", 1u)));
  EXPECT_THAT(limit.TakeLeftOut(kStart + 2 * kPeriod), IsEmpty());
  EXPECT_TRUE(limit.Admit("refused", kStart + 2 * kPeriod));
}

TEST(LineLimit, WithoutAnybodyWhoTakesCountsLinesComeOnceAMinuteAtMost) {
  LineLimit limit;
  EXPECT_TRUE(limit.Admit("rare", kStart));
  EXPECT_FALSE(limit.Admit("rare", kStart + kPeriod - seconds(1)));
  // What was left out is told before anything else of this cause.
  EXPECT_FALSE(limit.Admit("rare", kStart + kPeriod));
  EXPECT_THAT(limit.TakeLeftOut(kStart + kPeriod), ElementsAre(FieldsAre("rare", 2u)));
  EXPECT_TRUE(limit.Admit("quiet", kStart));
  EXPECT_TRUE(limit.Admit("quiet", kStart + kPeriod));
}

TEST(LineLimit, CausesAreBounded) {
  LineLimit limit;
  size_t written = 0;
  for (int cause = 0; cause < 10'000; ++cause) written += limit.Admit(std::to_string(cause), kStart) ? 1 : 0;
  EXPECT_EQ(written, LineLimit::kMostCauses + 1);
  EXPECT_THAT(limit.TakeLeftOut(kStart + kPeriod), ElementsAre(FieldsAre("other", 10'000 - written)));
}

TEST(LineLimit, LinesOfFurtherCausesCanAllBeWritten) {
  LineLimit limit({.period = seconds(10), .most_causes = 1, .share_other = false});
  EXPECT_TRUE(limit.Admit("first", kStart));
  EXPECT_FALSE(limit.Admit("first", kStart));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(limit.Admit("second", kStart));
  EXPECT_THAT(limit.TakeLeftOut(kStart + seconds(10)), ElementsAre(FieldsAre("first", 1u)));
}

}  // namespace
}  // namespace lean
