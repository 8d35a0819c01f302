#include "beacon/services/state_rebuilder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "common/clock/clock.h"
#include "common/concurrency/mutex.h"
#include "tests/beacon/services/support/chain_source.h"
#include "tests/common/process/captured_log.h"

namespace lean::beacon {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

// Holds whoever asks until it is opened, and notes the order.
class GatedSource final : public StateSource {
 public:
  absl::StatusOr<StatePtr> Rebuild(const Branch& branch) const override {
    MutexLock lock(mutex_);
    asked_.push_back(branch.block.slot);
    changed_.NotifyAll();
    changed_.Wait(mutex_, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return open_; });
    if (branch.block.slot == 0) return absl::NotFoundError("gone");
    return std::make_shared<const State>();
  }
  void Open() {
    MutexLock lock(mutex_);
    open_ = true;
    changed_.NotifyAll();
  }
  void AwaitAsked(size_t count) const {
    MutexLock lock(mutex_);
    changed_.Wait(mutex_, [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return asked_.size() >= count; });
  }
  std::vector<uint64_t> asked() const {
    MutexLock lock(mutex_);
    return asked_;
  }

 private:
  mutable Mutex mutex_;
  mutable CondVar changed_;
  mutable std::vector<uint64_t> asked_ ABSL_GUARDED_BY(mutex_);
  bool open_ = false;
};

class StateRebuilderTest : public testing::Test {
 protected:
  static constexpr StateAsker kChain{.kind = StateAsker::kChain};
  static constexpr StateAsker kCaller{.kind = StateAsker::kCaller};
  static StateAsker Peer(uint64_t peer) { return {.kind = StateAsker::kPeer, .peer = peer}; }

  static constexpr size_t kMost = 6;
  static constexpr size_t kMostOfAPeer = 2;

  StateRebuilderTest() { rebuilder_.Start(); }
  ~StateRebuilderTest() override { source_.Open(); }

  // The slot of a block is its number here.
  std::future<absl::Status> Ask(uint64_t number, const StateAsker& asker) {
    auto answer = std::make_shared<std::promise<absl::Status>>();
    rebuilder_.Request(RootOf(number), asker,
                       [answer](const absl::StatusOr<StatePtr>& state) { answer->set_value(state.status()); });
    return answer->get_future();
  }

  static std::optional<Branch> BranchOf(const Root& root) {
    for (uint64_t number = 0; number < 100; ++number) {
      if (RootOf(number) == root) return Branch{.block = {.root = root, .slot = number}, .trunk = {}, .side = {}};
    }
    return std::nullopt;
  }

  CapturedLog log_;
  GatedSource source_;
  RealClock clock_;
  StateRebuilder rebuilder_{
      source_, BranchOf, clock_, log_.logger(), {.max_of_a_kind = kMost, .max_of_a_peer = kMostOfAPeer}};
};

TEST_F(StateRebuilderTest, TheChainComesFirstAndPeersAndCallersTakeTurns) {
  std::vector<std::future<absl::Status>> answers;
  answers.push_back(Ask(1, Peer(1)));
  source_.AwaitAsked(1);
  for (const uint64_t number : {2, 3}) answers.push_back(Ask(number, Peer(2)));
  for (const uint64_t number : {4, 5}) answers.push_back(Ask(number, kCaller));
  answers.push_back(Ask(6, kChain));
  source_.Open();
  for (std::future<absl::Status>& answer : answers) EXPECT_TRUE(answer.get().ok());
  EXPECT_THAT(source_.asked(), ElementsAre(1, 6, 4, 2, 5, 3));
}

TEST_F(StateRebuilderTest, APeerHasAShareAndEveryKindABound) {
  std::vector<std::future<absl::Status>> answers;
  answers.push_back(Ask(1, kChain));
  source_.AwaitAsked(1);
  for (uint64_t number = 10; number < 10 + kMostOfAPeer; ++number) answers.push_back(Ask(number, Peer(1)));
  EXPECT_TRUE(absl::IsResourceExhausted(Ask(20, Peer(1)).get())) << "its share is used up";
  for (uint64_t number = 30; number < 30 + kMost - kMostOfAPeer; ++number) {
    answers.push_back(Ask(number, Peer(number)));
  }
  EXPECT_TRUE(absl::IsResourceExhausted(Ask(50, Peer(50)).get())) << "all peers' is";
  answers.push_back(Ask(60, kCaller));
  answers.push_back(Ask(61, kChain));
  source_.Open();
  for (std::future<absl::Status>& answer : answers) EXPECT_TRUE(answer.get().ok());
}

TEST_F(StateRebuilderTest, AStateIsComputedOnceForAllWhoAskForIt) {
  std::vector<std::future<absl::Status>> answers;
  answers.push_back(Ask(1, kChain));
  source_.AwaitAsked(1);
  for (int i = 0; i < 4; ++i) answers.push_back(Ask(2, kCaller));
  EXPECT_EQ(rebuilder_.queue().items, 1u);
  source_.Open();
  for (std::future<absl::Status>& answer : answers) EXPECT_TRUE(answer.get().ok());
  EXPECT_EQ(rebuilder_.queue().items, 0u);
  EXPECT_EQ(rebuilder_.cache().items, 2u);
  EXPECT_GT(rebuilder_.cache().bytes, 0u);
  EXPECT_TRUE(Ask(2, Peer(1)).get().ok()) << "it is remembered";
  EXPECT_THAT(source_.asked(), SizeIs(2));
}

TEST_F(StateRebuilderTest, WhatCannotBeHadIsSaidToBe) {
  source_.Open();
  EXPECT_TRUE(absl::IsNotFound(Ask(0, kCaller).get()));
  EXPECT_TRUE(absl::IsNotFound(Ask(1000, kCaller).get())) << "no such block";
}

TEST_F(StateRebuilderTest, WithoutAThreadItsOwnerRestoresOneAfterTheOther) {
  source_.Open();
  StateRebuilder rebuilder(source_, BranchOf, clock_, log_.logger(), {});
  EXPECT_FALSE(rebuilder.RunOne());
  std::vector<bool> answered;
  const auto done = [&](const absl::StatusOr<StatePtr>& state) { answered.push_back(state.ok()); };
  rebuilder.Request(RootOf(7), Peer(1), done);
  rebuilder.Request(RootOf(8), kChain, done);
  EXPECT_THAT(answered, SizeIs(0));
  EXPECT_TRUE(rebuilder.RunOne());
  EXPECT_THAT(answered, ElementsAre(true));
  EXPECT_TRUE(rebuilder.RunOne());
  EXPECT_FALSE(rebuilder.RunOne());
  EXPECT_THAT(source_.asked(), ElementsAre(8, 7));
  EXPECT_THAT(answered, ElementsAre(true, true));
}

TEST_F(StateRebuilderTest, StopAnswersEverybody) {
  std::future<absl::Status> first = Ask(1, kCaller);
  source_.AwaitAsked(1);
  std::future<absl::Status> second = Ask(2, kCaller);
  source_.Open();
  rebuilder_.Stop();
  EXPECT_TRUE(first.get().ok());
  EXPECT_NE(second.get().code(), absl::StatusCode::kNotFound) << "computed, or given up";
  EXPECT_TRUE(absl::IsUnavailable(Ask(3, kCaller).get()));
}

}  // namespace
}  // namespace lean::beacon
