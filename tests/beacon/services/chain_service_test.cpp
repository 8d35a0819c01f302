// What is submitted to the service and how it is answered.
#include "beacon/services/chain_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <latch>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "common/clock/manual_clock.h"
#include "common/concurrency/mutex.h"
#include "tests/beacon/services/support/chain_service_fixture.h"
#include "tests/beacon/services/support/test_network.h"
#include "tests/common/process/captured_log.h"

namespace lean::beacon {
namespace {

using std::chrono::milliseconds;
using testing::Each;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::SizeIs;

TEST_F(ChainServiceTest, ValidatorsFinalizeAChain) {
  service_.Start();
  GoTo(1, 0);
  for (uint64_t slot = 1; slot <= 8; ++slot) RunSlot(slot, {0, 1, 2, 3});
  const Checkpoint finalized = service_.Read([](const LeanChain& chain) { return chain.finalized(); });
  EXPECT_GT(finalized.slot, 0u);
  EXPECT_EQ(service_.seen_votes().Count(8), kValidators);
  service_.Stop();
  outbound_.Close();
  size_t blocks = 0;
  size_t votes = 0;
  while (const std::optional<OutboundItem> item = outbound_.Pop()) {
    blocks += item->block != nullptr;
    votes += item->votes.size();
  }
  EXPECT_EQ(blocks, 8u);
  EXPECT_EQ(votes, 8u * (kValidators - 1));
}

TEST_F(ChainServiceTest, WithoutTwoThirdsThereIsNoFinalityAndTheMissingAreNamed) {
  service_.Start();
  GoTo(1, 0);
  for (uint64_t slot = 1; slot <= 4; ++slot) RunSlot(slot, {});
  EXPECT_EQ(service_.Read([](const LeanChain& chain) { return chain.finalized().slot; }), 0u);
  EXPECT_THAT(service_.seen_votes().Missing(3, 64), ElementsAre(0, 1, 2));
}

TEST_F(ChainServiceTest, BuildingLeavesNoTrace) {
  service_.Start();
  GoTo(1, 0);
  const Root first = service_.BuildBlock(1, 1).value().root;
  EXPECT_EQ(service_.BuildBlock(1, 1).value().root, first);
  EXPECT_FALSE(service_.Read([&](const LeanChain& chain) { return chain.HasBlock(first); }));
  EXPECT_FALSE(service_.BuildBlock(1, 2).ok());
  EXPECT_FALSE(service_.BuildVote(10).ok());
}

TEST_F(ChainServiceTest, WhatIsRefusedWithoutEndTakesALineAndACount) {
  service_.Start();
  GoTo(1, 1);
  auto vote = std::make_shared<SignedAttestation>(*network_.Vote(0, service_.BuildVote(1).value()));
  vote->signature.data[7] ^= 1;
  for (int batch = 0; batch < 8; ++batch) {
    for (const SubmitOutcome& outcome : Submit(std::vector<SignedVotePtr>(64, vote)).get()) {
      EXPECT_EQ(outcome.reason, reason::kBadSignature);
    }
  }
  EXPECT_THAT(log_.Matching("vote_refused"), SizeIs(1));
  EXPECT_THAT(log_.Matching("lines_left_out"), SizeIs(0));
  clock_.AwaitWaiters(1);
  clock_.Advance(LineLimit::kPeriod);
  GoTo(ChainTime() / 4 + 1, 0);
  Submit({vote}).get();  // handled after the tick, which writes its lines after it has advanced the chain's time
  EXPECT_THAT(log_.Matching("lines_left_out"),
              ElementsAre(HasSubstr("cause=vote_refused/BAD_SIGNATURE lines=511 seconds=60")));
}

TEST_F(ChainServiceTest, AWrongSignatureIsRefusedAndSaidToBe) {
  service_.Start();
  GoTo(1, 0);
  auto block = std::make_shared<SignedBlockWithAttestation>(*BuildAndSign(1));
  block->signature[0].data[7] ^= 1;
  const SubmitOutcome outcome = Submit(block).get();
  EXPECT_EQ(outcome.status, SubmitOutcome::kRefused);
  EXPECT_EQ(outcome.reason, reason::kBadSignature);
  EXPECT_THAT(log_.Matching("block_refused"), ElementsAre(HasSubstr("origin=local reason=BAD_SIGNATURE")));

  const AttestationData data = service_.BuildVote(1).value();
  auto vote = std::make_shared<SignedAttestation>(*network_.Vote(0, data));
  vote->signature.data[7] ^= 1;
  const std::vector<SubmitOutcome> outcomes = Submit({network_.Vote(2, data), vote, network_.Vote(3, data)}).get();
  ASSERT_THAT(outcomes, SizeIs(3));
  EXPECT_EQ(outcomes[0].status, SubmitOutcome::kAccepted);
  EXPECT_EQ(outcomes[1].reason, reason::kBadSignature);
  EXPECT_EQ(outcomes[2].status, SubmitOutcome::kAccepted);
}

TEST_F(ChainServiceTest, ABlockKnownAlreadyAndOneTooFarAheadAreSaidToBe) {
  service_.Start();
  GoTo(1, 0);
  const SignedBlockPtr block = BuildAndSign(1);
  EXPECT_EQ(Submit(block).get().status, SubmitOutcome::kAccepted);
  const SubmitOutcome again = Submit(block, Origin::Peer(3)).get();
  EXPECT_EQ(again.status, SubmitOutcome::kAlreadyKnown);
  EXPECT_FALSE(again.root.IsZero());
  EXPECT_EQ(Submit(network_.BlockAtEdge(3, Root(), {})).get().reason, reason::kFutureSlot);
  EXPECT_EQ(Submit(network_.BlockAtEdge(2, again.root, {})).get().status, SubmitOutcome::kQueued);
}

// Keeps nothing, and takes only what it is told to.
class GateObserver : public ChainObserver {
 public:
  void BlockImported(const Root&, const SignedBlockPtr&, const StatePtr&, const VoteMap&) override {}
  void VoteAccepted(const SignedVotePtr&) override { ++votes; }
  void CheckpointsChanged(const ChainCheckpoints&) override {}
  absl::Status CanAccept() const override {
    MutexLock lock(mutex_);
    return answer_;
  }

  void Answer(absl::Status answer) {
    MutexLock lock(mutex_);
    answer_ = std::move(answer);
  }

  std::atomic<int> votes = 0;

 private:
  mutable Mutex mutex_;
  absl::Status answer_;
};

// The observer outlives the service.
struct WithObserver {
  GateObserver observer_;
};

class ObservedServiceTest : private WithObserver, public ChainServiceTest {
 protected:
  ObservedServiceTest() : ChainServiceTest({}, &observer_) {}

  using WithObserver::observer_;
};

TEST_F(ObservedServiceTest, WhileNothingCanBeKeptNothingIsTaken) {
  service_.Start();
  const SignedVotePtr vote = network_.Vote(0, network_.DataAt(0));
  observer_.Answer(absl::UnavailableError("the disk is full"));
  EXPECT_THAT(Submit({vote, vote}).get(), Each(Field(&SubmitOutcome::status, SubmitOutcome::kStorageFailed)));
  const SubmitOutcome block = Submit(network_.BlockAtEdge(1, Root(), {})).get();
  EXPECT_EQ(block.status, SubmitOutcome::kStorageFailed);
  EXPECT_EQ(block.reason, reason::kStorageFailed);
  EXPECT_EQ(block.message, "the disk is full");
  observer_.Answer(absl::ResourceExhaustedError("the disk is slow"));
  EXPECT_EQ(Submit({vote}).get().front().status, SubmitOutcome::kOverloaded);
  EXPECT_EQ(observer_.votes, 0);
  observer_.Answer(absl::OkStatus());
  EXPECT_EQ(Submit({vote}).get().front().status, SubmitOutcome::kAccepted);
  EXPECT_EQ(observer_.votes, 1);
}

TEST_F(ChainServiceTest, NoVotesAreAnsweredWithNoOutcomes) {
  service_.Start();
  EXPECT_THAT(Submit(std::vector<SignedVotePtr>()).get(), SizeIs(0));
}

TEST_F(ChainServiceTest, StopAnswersWhatIsPendingAndWhatComesLater) {
  service_.Start();
  const SignedVotePtr vote = network_.Vote(0, network_.DataAt(0));
  std::latch inside(1);
  std::latch go(1);
  service_.SubmitVotes({vote}, Origin::Local(), [&](const std::vector<SubmitOutcome>& outcomes) {
    EXPECT_EQ(outcomes[0].status, SubmitOutcome::kAccepted);
    inside.count_down();
    go.wait();
  });
  inside.wait();
  // The loop is held up: this one is pending, in the verifier or in the channel.
  std::future<std::vector<SubmitOutcome>> pending = Submit({network_.Vote(1, network_.DataAt(0)), vote});
  std::jthread stopper([&] { service_.Stop(); });
  // Stop has begun once an answer comes although the loop is held up.
  SubmitOutcome::Status answered = SubmitOutcome::kAccepted;
  while (answered != SubmitOutcome::kShuttingDown) {
    std::future<std::vector<SubmitOutcome>> answer = Submit({vote});
    if (answer.wait_for(milliseconds(1)) == std::future_status::ready) answered = answer.get().front().status;
  }
  go.count_down();
  EXPECT_THAT(pending.get(), Each(Field(&SubmitOutcome::status, SubmitOutcome::kShuttingDown)));
  stopper.join();
  EXPECT_EQ(Submit(network_.BlockAtEdge(1, Root(), {})).get().status, SubmitOutcome::kShuttingDown);
  EXPECT_EQ(service_.queue_sizes().in_flight_items, 0u);
  EXPECT_EQ(service_.queue_sizes().in_flight_bytes, 0u);
}

TEST_F(ChainServiceTest, AServiceNeverStartedAnswersAtItsEnd) {
  std::future<std::vector<SubmitOutcome>> votes = Submit({network_.Vote(0, network_.DataAt(0))});
  std::future<SubmitOutcome> block = Submit(network_.BlockAtEdge(1, Root(), {}));
  service_.Stop();
  EXPECT_THAT(votes.get(), Each(Field(&SubmitOutcome::status, SubmitOutcome::kShuttingDown)));
  EXPECT_EQ(block.get().status, SubmitOutcome::kShuttingDown);
}

TEST_F(ChainServiceTest, EverySubmissionIsAnsweredOnceUnderLoad) {
  constexpr int kThreads = 3;
  constexpr int kRounds = 40;
  service_.Start();
  std::vector<SignedVotePtr> votes;
  for (uint64_t validator = 0; validator < kValidators; ++validator) {
    votes.push_back(network_.Vote(validator, network_.DataAt(0)));
  }
  const SignedBlockPtr block = network_.BlockAtEdge(1, network_.genesis().block_root, {votes[0]->message});
  std::atomic<int> answers = 0;
  std::atomic<bool> done = false;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&, thread] {
        for (int round = 0; round < kRounds; ++round) {
          const Origin origin = Origin::Peer(static_cast<uint64_t>(thread));
          service_.SubmitVotes(votes, origin, [&](const std::vector<SubmitOutcome>& outcomes) {
            EXPECT_EQ(outcomes.size(), votes.size());
            ++answers;
          });
          service_.SubmitBlock(block, origin, [&](const SubmitOutcome&) { ++answers; });
        }
      });
    }
    std::jthread reader([&] {
      while (!done) {
        service_.Read([](const LeanChain& chain) { return chain.head(); });
        service_.BuildVote(0).IgnoreError();
        service_.queue_sizes();
        service_.seen_votes().Count(0);
        std::this_thread::yield();
      }
    });
    std::jthread timer([&] {
      for (int i = 0; i < 20; ++i) {
        clock_.AwaitWaiters(1);
        clock_.Advance(kInterval);
      }
    });
    for (std::jthread& thread : threads) thread.join();
    timer.join();
    service_.Stop();
    done = true;
  }
  EXPECT_EQ(answers, 2 * kThreads * kRounds);
  EXPECT_EQ(service_.queue_sizes().in_flight_items, 0u);
}

class SmallServiceTest : public ChainServiceTest {
 protected:
  SmallServiceTest() : ChainServiceTest({.max_items_in_flight = 2, .writer = {}}) {}
};

TEST_F(SmallServiceTest, WhatDoesNotFitIsTurnedAwayAtOnce) {
  service_.Start();
  const SignedVotePtr vote = network_.Vote(0, network_.DataAt(0));
  const std::vector<SubmitOutcome> outcomes = Submit({vote, vote, vote}).get();
  ASSERT_THAT(outcomes, SizeIs(3));
  EXPECT_EQ(outcomes[0].status, SubmitOutcome::kRefused);
  EXPECT_EQ(outcomes[0].reason, reason::kTooLarge);

  std::latch inside(1);
  std::latch go(1);
  service_.SubmitVotes({vote}, Origin::Local(), [&](const std::vector<SubmitOutcome>&) {
    inside.count_down();
    go.wait();
  });
  inside.wait();
  // Answered ones no longer count; these two do, since the loop is held up.
  std::future<std::vector<SubmitOutcome>> pending = Submit({vote, vote});
  EXPECT_EQ(service_.queue_sizes().in_flight_items, 2u);
  EXPECT_EQ(Submit({vote}).get().front().status, SubmitOutcome::kOverloaded);
  EXPECT_EQ(Submit(network_.BlockAtEdge(1, Root(), {})).get().status, SubmitOutcome::kOverloaded);
  go.count_down();
  EXPECT_THAT(pending.get(), Each(Field(&SubmitOutcome::status, SubmitOutcome::kAccepted)));
  EXPECT_EQ(Submit({vote}).get().front().status, SubmitOutcome::kAccepted);
}

}  // namespace
}  // namespace lean::beacon
