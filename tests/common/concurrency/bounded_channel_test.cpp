#include "common/concurrency/bounded_channel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <thread>
#include <vector>

namespace lean {
namespace {

TEST(BoundedChannel, FirstInFirstOut) {
  BoundedChannel<int> channel(3);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(channel.TryPush(int{i}), PushResult::kPushed);
  EXPECT_EQ(channel.size(), 3u);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(channel.Pop(), i);
  EXPECT_EQ(channel.size(), 0u);
}

TEST(BoundedChannel, AFullChannelLeavesTheValueWithTheCaller) {
  BoundedChannel<std::unique_ptr<int>> channel(1);
  auto first = std::make_unique<int>(1);
  auto second = std::make_unique<int>(2);
  EXPECT_EQ(channel.TryPush(std::move(first)), PushResult::kPushed);
  EXPECT_EQ(channel.TryPush(std::move(second)), PushResult::kFull);
  ASSERT_NE(second, nullptr);
  channel.Pop();
  EXPECT_EQ(channel.TryPush(std::move(second)), PushResult::kPushed);
}

TEST(BoundedChannel, AClosedChannelHandsOutWhatItHolds) {
  BoundedChannel<std::unique_ptr<int>> channel(2);
  channel.TryPush(std::make_unique<int>(1));
  channel.Close();
  auto late = std::make_unique<int>(2);
  EXPECT_EQ(channel.TryPush(std::move(late)), PushResult::kClosed);
  ASSERT_NE(late, nullptr);
  EXPECT_EQ(**channel.Pop(), 1);
  EXPECT_EQ(channel.Pop(), std::nullopt);
  EXPECT_EQ(channel.Pop(), std::nullopt);
}

TEST(BoundedChannel, CloseWakesEveryWaitingThread) {
  BoundedChannel<int> channel(1);
  std::vector<std::jthread> waiting;
  for (int i = 0; i < 4; ++i) waiting.emplace_back([&] { EXPECT_EQ(channel.Pop(), std::nullopt); });
  channel.Close();
}

TEST(BoundedChannel, EveryValueComesOutOnceAndInItsProducersOrder) {
  constexpr int kProducers = 3;
  constexpr int kValues = 2000;
  BoundedChannel<int> channel(16);
  std::vector<std::vector<int>> seen(2);
  {
    std::vector<std::jthread> consumers;
    for (std::vector<int>& values : seen) {
      consumers.emplace_back([&] {
        while (const std::optional<int> value = channel.Pop()) values.push_back(*value);
      });
    }
    std::vector<std::jthread> producers;
    for (int producer = 0; producer < kProducers; ++producer) {
      producers.emplace_back([&, producer] {
        for (int i = 0; i < kValues; ++i) {
          while (channel.TryPush(producer * kValues + i) == PushResult::kFull) std::this_thread::yield();
        }
      });
    }
    for (std::jthread& producer : producers) producer.join();
    channel.Close();
  }
  std::vector<int> all;
  for (const std::vector<int>& values : seen) {
    std::vector<int> last(kProducers, -1);
    for (int value : values) {
      EXPECT_LT(last[value / kValues], value);
      last[value / kValues] = value;
    }
    all.insert(all.end(), values.begin(), values.end());
  }
  std::sort(all.begin(), all.end());
  std::vector<int> expected(kProducers * kValues);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(all, expected);
}

}  // namespace
}  // namespace lean
