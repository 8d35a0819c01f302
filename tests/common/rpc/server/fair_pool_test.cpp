#include "common/rpc/server/fair_pool.h"

#include <atomic>
#include <future>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "common/concurrency/mutex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace lean::rpc {
namespace {

using ::testing::ElementsAre;

const Caller kCaller{.host = "host", .connection = "host:1"};

class FairPoolTest : public ::testing::Test {
 protected:
  Work Named(const std::string& name) {
    return {.run = [this, name] { Add(name); }, .refuse = [this, name] { Add("refused " + name); }, .bytes = 1};
  }
  // Holds its thread until Release.
  Work Holding() {
    return {.run =
                [this] {
                  ++holding_;
                  holding_.notify_all();
                  released_.wait();
                },
            .refuse = [] {},
            .bytes = 1};
  }
  void AwaitHolding(int count) {
    for (int now = holding_; now < count; now = holding_) holding_.wait(now);
  }
  void Release() { release_.set_value(); }

  void Add(const std::string& name) {
    MutexLock lock(mutex_);
    names_.push_back(name);
  }
  std::vector<std::string> names() {
    MutexLock lock(mutex_);
    return names_;
  }

 private:
  std::atomic<int> holding_ = 0;
  std::promise<void> release_;
  std::shared_future<void> released_ = release_.get_future();
  Mutex mutex_;
  std::vector<std::string> names_ ABSL_GUARDED_BY(mutex_);
};

TEST_F(FairPoolTest, OneThreadIsLeftToGoodCallers) {
  FairPool pool({.threads = 3});
  for (int i = 0; i < 8; ++i) pool.Submit(kCaller, i % 2 == 0 ? Rank::kUnknown : Rank::kBad, Holding());
  AwaitHolding(2);
  std::promise<void> done;
  pool.Submit(kCaller, Rank::kGood, {.run = [&] { done.set_value(); }, .refuse = [] {}, .bytes = 1});
  done.get_future().wait();
  Release();
}

TEST_F(FairPoolTest, ASingleThreadServesAll) {
  FairPool pool({.threads = 1});
  pool.Submit(kCaller, Rank::kBad, Holding());
  AwaitHolding(1);
  pool.Submit(kCaller, Rank::kBad, Named("bad"));
  EXPECT_EQ(pool.queue("calls").items, 1u);
  EXPECT_GT(pool.queue("calls").bytes, 1u) << "the call as well as its request";
  pool.Submit(kCaller, Rank::kUnknown, Named("unknown"));
  pool.Submit(kCaller, Rank::kGood, Named("good"));
  Release();
  pool.Stop();
  EXPECT_THAT(names(), ElementsAre("good", "unknown", "bad"));
}

TEST_F(FairPoolTest, WhatGivesWayIsRefusedOnce) {
  FairPool pool({.threads = 1, .waiting_calls = 2});
  pool.Submit(kCaller, Rank::kUnknown, Holding());
  AwaitHolding(1);
  const Caller other{.host = "other", .connection = "other:1"};
  for (const char* name : {"1", "2", "3"}) pool.Submit(kCaller, Rank::kUnknown, Named(name));
  pool.Submit(other, Rank::kUnknown, Named("other"));
  EXPECT_THAT(names(), ElementsAre("refused 3", "refused 2"));
  Release();
  pool.Stop();
  EXPECT_THAT(names(), ElementsAre("refused 3", "refused 2", "1", "other"));
  pool.Submit(other, Rank::kGood, Named("late"));
  EXPECT_EQ(names().back(), "refused late");
}

}  // namespace
}  // namespace lean::rpc
