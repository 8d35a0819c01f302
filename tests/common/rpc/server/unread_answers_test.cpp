#include "common/rpc/server/unread_answers.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace lean::rpc {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr size_t kUnit = size_t{1} << 20;

class UnreadAnswersTest : public ::testing::Test {
 protected:
  std::optional<UnreadAnswers::Id> Add(const std::string& connection, size_t units) {
    return unread_.Add(connection, units * kUnit, [this, connection] { ended_.push_back(connection); });
  }

  UnreadAnswers unread_{{.connection_bytes = 100 * kUnit, .bytes = 250 * kUnit}};
  std::vector<std::string> ended_;
};

TEST_F(UnreadAnswersTest, AConnectionGetsNoMoreUntilItHasRead) {
  const auto first = Add("a", 60);
  ASSERT_TRUE(first.has_value());
  ASSERT_TRUE(Add("a", 39).has_value());
  EXPECT_FALSE(Add("a", 1).has_value());
  EXPECT_TRUE(Add("b", 99).has_value());
  EXPECT_EQ(unread_.footprint().items, 3u);
  EXPECT_EQ(unread_.footprint().bytes, 198 * kUnit + 3 * UnreadAnswers::kCallBytes);
  unread_.Remove(*first);
  EXPECT_TRUE(Add("a", 60).has_value());
  EXPECT_FALSE(Add("a", 1).has_value());
  EXPECT_THAT(ended_, IsEmpty());
}

TEST_F(UnreadAnswersTest, EmptyAnswersCountAsWell) {
  std::vector<UnreadAnswers::Id> ids;
  while (const auto id = Add("a", 0)) ids.push_back(*id);
  EXPECT_EQ(ids.size(), 100 * kUnit / UnreadAnswers::kCallBytes);
  for (const UnreadAnswers::Id id : ids) unread_.Remove(id);
  EXPECT_TRUE(Add("a", 99).has_value());
}

TEST_F(UnreadAnswersTest, OneAnswerMayAlwaysWait) {
  EXPECT_TRUE(Add("a", 1000).has_value());
  EXPECT_FALSE(Add("a", 1).has_value());
  EXPECT_THAT(ended_, IsEmpty());
}

TEST_F(UnreadAnswersTest, TheOldestGiveWay) {
  const auto first = Add("a", 90);
  Add("b", 90);
  const auto third = Add("c", 69);
  EXPECT_THAT(ended_, IsEmpty());
  Add("d", 90);
  EXPECT_THAT(ended_, ElementsAre("a"));
  // What has given way counts no more, and may be removed.
  unread_.Remove(*first);
  EXPECT_TRUE(Add("a", 10).has_value());
  EXPECT_THAT(ended_, ElementsAre("a", "b"));
  unread_.Remove(*third);
  Add("e", 100);
  EXPECT_THAT(ended_, ElementsAre("a", "b"));
}

}  // namespace
}  // namespace lean::rpc
