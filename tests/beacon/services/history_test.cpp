// Blocks of history, and blocks that are missing, on a service with its threads and real signatures.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "beacon/services/chain_service.h"
#include "common/clock/manual_clock.h"
#include "common/concurrency/mutex.h"
#include "tests/beacon/services/support/signed_chain.h"
#include "tests/common/process/captured_log.h"

namespace lean::beacon {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr uint64_t kExpirySlots = 8;
const Origin kPeer = Origin::Peer(7);

class HistoryTest : public testing::Test {
 protected:
  static constexpr size_t kValidators = 4;

  HistoryTest()
      : service_(network_.Chain(), network_.Verifier(),
                 {.clock = clock_,
                  .slot_clock = SlotClock(TestNetwork::kGenesisTime, TestNetwork::kSlotMs),
                  .outbound = outbound_,
                  .log = log_.logger(),
                  .want =
                      [this](const WantedRoot& wanted) {
                        MutexLock lock(mutex_);
                        wanted_.push_back(wanted);
                      }},
                 {}) {}

  // Starts in this slot.
  void StartAt(uint64_t slot) {
    clock_.SetWallMs(TestNetwork::StartMs(slot));
    service_.Start();
  }

  void GoTo(uint64_t slot) {
    clock_.AwaitWaiters(1);
    clock_.Advance(milliseconds(TestNetwork::StartMs(slot) - clock_.WallMs()));
    const auto time = [&] { return service_.Read([](const LeanChain& chain) { return chain.current_slot(); }); };
    while (time() < slot) std::this_thread::yield();
  }

  std::vector<SubmitOutcome> Submit(std::vector<SignedBlockPtr> blocks) {
    std::promise<std::vector<SubmitOutcome>> promise;
    service_.SubmitHistory(std::move(blocks), kPeer,
                           [&](std::vector<SubmitOutcome> outcomes) { promise.set_value(std::move(outcomes)); });
    return promise.get_future().get();
  }

  std::vector<SubmitOutcome::Status> Statuses(std::vector<SignedBlockPtr> blocks) {
    std::vector<SubmitOutcome::Status> statuses;
    for (const SubmitOutcome& outcome : Submit(std::move(blocks))) statuses.push_back(outcome.status);
    return statuses;
  }

  Checkpoint Head() const {
    return service_.Read([](const LeanChain& chain) { return chain.head(); });
  }
  bool Has(const SignedBlockPtr& block) const {
    return service_.Read([&](const LeanChain& chain) { return chain.HasBlock(SignedChain::RootOf(block)); });
  }
  std::vector<WantedRoot> Wanted() {
    MutexLock lock(mutex_);
    return std::exchange(wanted_, {});
  }

  const TestNetwork network_{kValidators};
  ManualClock clock_{TestNetwork::StartMs(0)};
  CapturedLog log_;
  OutboundChannel outbound_{1000};
  Mutex mutex_;
  std::vector<WantedRoot> wanted_ ABSL_GUARDED_BY(mutex_);
  ChainService service_;
};

TEST_F(HistoryTest, IsImportedInOneGoAndNotPublished) {
  const OrphanedVote run(network_, 14);
  StartAt(14 + kExpirySlots);
  EXPECT_THAT(Statuses(run.canonical), AllOf(SizeIs(13), Each(SubmitOutcome::kAccepted)));
  EXPECT_EQ(Head(), run.source.chain().head());
  EXPECT_THAT(Wanted(), IsEmpty());
  EXPECT_EQ(outbound_.size(), 0u);
  EXPECT_THAT(log_.Matching("info block_accepted"), IsEmpty());
  EXPECT_THAT(Statuses(run.canonical), Each(SubmitOutcome::kAlreadyKnown));
  EXPECT_THAT(Statuses({}), IsEmpty());
}

// The same blocks before they are history: the one that names the orphan waits for it, and it is asked for.
TEST_F(HistoryTest, WhatIsNotHistoryYetIsTreatedAsLive) {
  const OrphanedVote run(network_, 8);
  StartAt(8);
  const std::vector<SubmitOutcome> outcomes = Submit(run.canonical);
  EXPECT_EQ(outcomes[3].status, SubmitOutcome::kAccepted);
  EXPECT_EQ(outcomes[4].status, SubmitOutcome::kQueued);
  EXPECT_EQ(outcomes[4].reason, reason::kUnknownBlock);
  EXPECT_GT(outbound_.size(), 0u);
  // Once: the blocks above wait for one that waits itself.
  const Root orphan = SignedChain::RootOf(run.orphan);
  const std::vector<WantedRoot> wanted = Wanted();
  ASSERT_EQ(wanted.size(), 1u);
  EXPECT_EQ(wanted[0].root, orphan);
  EXPECT_EQ(wanted[0].wanted_by, SignedChain::RootOf(run.canonical[4]));
  EXPECT_EQ(wanted[0].origin, kPeer);
  EXPECT_EQ(wanted[0].expires_slot, 8 + static_cast<int64_t>(kExpirySlots));
  // The orphan brings them all.
  EXPECT_THAT(Statuses({run.orphan}), ElementsAre(SubmitOutcome::kAccepted));
  EXPECT_EQ(Head(), run.source.chain().head());
}

// A live node that waited in vain comes to the verdict of one that joins late.
TEST_F(HistoryTest, ABlockThatWaitedInVainIsHistoryInTheEnd) {
  const OrphanedVote run(network_, 6);
  StartAt(6);
  Submit(run.canonical);
  EXPECT_EQ(Head().slot, 5u);
  GoTo(6 + kExpirySlots - 1);
  EXPECT_FALSE(Has(run.canonical[4]));
  GoTo(6 + kExpirySlots);
  while (service_.queue_sizes().waiting_blocks > 0) std::this_thread::yield();
  EXPECT_TRUE(Has(run.canonical[4]));
  EXPECT_FALSE(Has(run.orphan));
  EXPECT_EQ(Head(), run.source.chain().head());
}

TEST_F(HistoryTest, ABlockThatCameASlotEarlyIsHistoryInTheEnd) {
  const OrphanedVote run(network_, 6);
  StartAt(5);
  EXPECT_EQ(Submit(run.canonical).back().reason, reason::kUnknownBlock);
  for (uint64_t slot = 6; slot < 6 + kExpirySlots; ++slot) GoTo(slot);
  EXPECT_EQ(service_.queue_sizes().waiting_blocks, 1u);
  GoTo(6 + kExpirySlots);
  while (service_.queue_sizes().waiting_blocks > 0) std::this_thread::yield();
  EXPECT_TRUE(Has(run.canonical[4]));
  EXPECT_EQ(Head(), run.source.chain().head());
}

TEST_F(HistoryTest, AWrongSignatureNamesItsBlock) {
  const OrphanedVote run(network_, 14);
  StartAt(14 + kExpirySlots);
  std::vector<SignedBlockPtr> blocks = run.canonical;
  const size_t wrong = 6;
  auto changed = std::make_shared<SignedBlockWithAttestation>(*blocks[wrong]);
  ASSERT_GT(changed->signature.size(), 1u);
  changed->signature[0].data[40] ^= 1;
  blocks[wrong] = changed;
  const std::vector<SubmitOutcome> outcomes = Submit(blocks);
  EXPECT_EQ(outcomes[wrong - 1].status, SubmitOutcome::kAccepted);
  EXPECT_EQ(outcomes[wrong].status, SubmitOutcome::kRefused);
  EXPECT_EQ(outcomes[wrong].reason, reason::kBadSignature);
  EXPECT_EQ(outcomes[wrong].root, SignedChain::RootOf(blocks[wrong]));
  EXPECT_EQ(outcomes[wrong + 1].reason, reason::kUnknownParent);
  EXPECT_EQ(Head().root, SignedChain::RootOf(blocks[wrong - 1]));
  // The right one brings what waited for it.
  EXPECT_THAT(Statuses({run.canonical[wrong]}), ElementsAre(SubmitOutcome::kAccepted));
  EXPECT_EQ(Head(), run.source.chain().head());
}

TEST_F(HistoryTest, EachBlockHasItsOwnVerdict) {
  const OrphanedVote run(network_, 12);
  StartAt(12 + kExpirySlots);
  std::vector<SignedBlockPtr> blocks = run.canonical;
  auto proposer = std::make_shared<SignedBlockWithAttestation>(*blocks[10]);
  proposer->signature[proposer->signature.size() - 1].data[40] ^= 1;
  blocks[10] = proposer;
  auto shape = std::make_shared<SignedBlockWithAttestation>(*blocks[8]);
  ++shape->message.block.proposer_index;
  blocks[8] = shape;
  const std::vector<SubmitOutcome> outcomes = Submit(blocks);
  EXPECT_EQ(outcomes[7].status, SubmitOutcome::kAccepted);
  EXPECT_EQ(outcomes[8].reason, reason::kWrongProposer);
  EXPECT_EQ(outcomes[9].status, SubmitOutcome::kQueued);
  EXPECT_EQ(outcomes[10].reason, reason::kBadSignature);
}

TEST_F(HistoryTest, IsBoundedAndStopped) {
  const OrphanedVote run(network_, 14);
  StartAt(22);
  const std::vector<SignedBlockPtr> many(2000, run.canonical[0]);  // more than a peer may have in flight
  EXPECT_THAT(Submit(many), AllOf(SizeIs(2000), Each(Field(&SubmitOutcome::status, SubmitOutcome::kOverloaded))));
  service_.Stop();
  EXPECT_THAT(Statuses(run.canonical), Each(SubmitOutcome::kShuttingDown));
}

}  // namespace
}  // namespace lean::beacon
