#include "beacon/network/requests/block_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "beacon/network/engine/contract.h"
#include "beacon/network/engine/item_codec.h"
#include "common/clock/manual_clock.h"
#include "common/concurrency/mutex.h"
#include "common/ssz/ssz.h"
#include "tests/beacon/network/plain_items.h"
#include "tests/common/patience.h"
#include "tests/common/process/captured_log.h"

namespace lean::beacon {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Blocks of 4.6 MB at the slots 1 to 8, which are given when the test lets them.
class SlowSource : public BlockSource {
 public:
  SlowSource() {
    for (uint64_t slot = 1; slot <= 8; ++slot) blocks_.push_back(PlainBlock(slot, 1500));
  }

  void Open() {
    MutexLock lock(mutex_);
    open_ = true;
    opened_.NotifyAll();
  }

  SignedBlockPtr ByRoot(const Root& root) const override {
    AwaitOpen();
    for (const SignedBlockPtr& block : blocks_) {
      if (RootOf(block) == root) return block;
    }
    return nullptr;
  }
  std::vector<SignedBlockPtr> CanonicalRange(uint64_t first_slot, uint64_t count, size_t max_bytes) const override {
    AwaitOpen();
    std::vector<SignedBlockPtr> found;
    size_t bytes = 0;
    for (const SignedBlockPtr& block : blocks_) {
      const uint64_t slot = block->message.block.slot;
      if (slot < first_slot || slot - first_slot >= count) continue;
      bytes += BytesOf(*block);
      if (bytes > max_bytes && !found.empty()) break;
      found.push_back(block);
    }
    return found;
  }
  uint64_t earliest_slot() const override { return 1; }

  static Root RootOf(const SignedBlockPtr& block) { return ssz::HashTreeRoot(block->message.block); }

 private:
  void AwaitOpen() const {
    MutexLock lock(mutex_);
    opened_.Wait(mutex_, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return open_; });
  }

  std::vector<SignedBlockPtr> blocks_;
  mutable Mutex mutex_;
  mutable CondVar opened_;
  bool open_ ABSL_GUARDED_BY(mutex_) = false;
};

class BlockServerTest : public testing::Test {
 protected:
  BlockServerTest() {
    peers_.Reset(1);
    EXPECT_TRUE(peers_.OnConnected(PeerNamed(1)).ok());
    EXPECT_TRUE(peers_.OnConnected(PeerNamed(2)).ok());
  }
  ~BlockServerTest() override { source_.Open(); }

  void Ask(uint64_t id, uint64_t peer, const AskedBlocks& asked) {
    ASSERT_TRUE(server_.OnRequest(ToProto(id, peer, asked)).ok());
  }
  // The messages of an answer that has come to its end.
  std::vector<v1::BlockAnswer> Await(uint64_t id) {
    MutexLock lock(mutex_);
    EXPECT_TRUE(answered_.WaitFor(mutex_, kPatience, [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return !answers_[id].empty() && answers_[id].back().end() != v1::BlockAnswer::MORE;
    })) << id;
    return answers_[id];
  }
  std::vector<uint64_t> Slots(uint64_t id) {
    std::vector<uint64_t> slots;
    for (const v1::BlockAnswer& piece : Await(id)) {
      for (const std::string& block : piece.blocks()) {
        slots.push_back(ParseItem<SignedBlockWithAttestation>(block).value()->message.block.slot);
      }
    }
    return slots;
  }

  ManualClock clock_{0};
  CapturedLog log_;
  SlowSource source_;
  Mutex mutex_;
  CondVar answered_;
  std::map<uint64_t, std::vector<v1::BlockAnswer>> answers_ ABSL_GUARDED_BY(mutex_);  // by id
  std::atomic<size_t> queued_bytes_ = 0;
  Peers peers_{clock_, log_.logger(), [](uint64_t, const v1::BeaconToEngine&) {},
               [](const ClaimedChain&) { return false; }};
  BlockServer server_{source_, peers_,
                      [this](uint64_t, const v1::BeaconToEngine& message) {
                        MutexLock lock(mutex_);
                        answers_[message.answer().id()].push_back(message.answer());
                        answered_.NotifyAll();
                      },
                      [this] { return queued_bytes_.load(); }};
};

// More than may wait: those are told so at once, and the others have their answer as soon as there is one.
TEST_F(BlockServerTest, EveryRequestIsAnsweredHoweverManyThereAre) {
  constexpr uint64_t kFit = BlockServer::kThreads + BlockServer::kWaiting;
  constexpr uint64_t kRequests = kFit + 100;
  for (uint64_t id = 1; id <= kRequests; ++id) Ask(id, 1, {.roots = {Root()}});
  Ask(kRequests + 1, 2, {.roots = {Root()}});
  EXPECT_EQ(Await(kRequests + 1).back().end(), v1::BlockAnswer::OVERLOADED);
  EXPECT_GE(server_.queue().items, BlockServer::kWaiting - BlockServer::kThreads);
  EXPECT_GT(server_.queue().bytes, (BlockServer::kWaiting - BlockServer::kThreads) * sizeof(Root));
  source_.Open();
  size_t overloaded = 0;
  for (uint64_t id = 1; id <= kRequests; ++id) {
    overloaded += Await(id).back().end() == v1::BlockAnswer::OVERLOADED ? 1 : 0;
  }
  EXPECT_GE(overloaded, 100u);
  EXPECT_LE(overloaded, 100u + BlockServer::kThreads) << "the threads may have been late to take theirs";
  EXPECT_EQ(server_.queue().bytes, 0u);
  for (const uint64_t peer : {1, 2}) {
    Ask(kRequests + 1 + peer, peer, {.roots = {Root()}});
    EXPECT_EQ(Await(kRequests + 1 + peer).back().end(), v1::BlockAnswer::COMPLETE) << "nobody is left out for good";
  }
}

TEST_F(BlockServerTest, AnAnswerHasBoundedPiecesAndABoundedWhole) {
  source_.Open();
  Ask(1, 1, {.roots = {}, .first_slot = 2, .count = 1024});
  EXPECT_THAT(Slots(1), ElementsAre(2, 3, 4)) << "16 MiB";
  for (const v1::BlockAnswer& piece : Await(1)) EXPECT_LE(piece.blocks_size(), 1) << "more than 4 MiB";
  std::vector<Root> roots;
  for (uint64_t slot = 8; slot >= 1; --slot) roots.push_back(SlowSource::RootOf(PlainBlock(slot, 1500)));
  Ask(2, 1, {.roots = {roots[0], Root(), roots[7], roots[0], roots[1], roots[2]}});
  EXPECT_THAT(Slots(2), ElementsAre(8, 1, 7)) << "in the order that was asked for, each once";
  Ask(3, 1, {.roots = {}, .first_slot = UINT64_MAX, .count = 1024});
  EXPECT_THAT(Slots(3), IsEmpty());
}

TEST_F(BlockServerTest, AnEngineThatIsSlowToTakeAnswersIsGivenNoMore) {
  source_.Open();
  queued_bytes_ = BlockServer::kQueuedBytes + 1;
  Ask(1, 1, {.roots = {}, .first_slot = 1, .count = 1});
  EXPECT_EQ(Await(1).back().end(), v1::BlockAnswer::OVERLOADED);
  queued_bytes_ = 0;
  Ask(2, 1, {.roots = {}, .first_slot = 1, .count = 1});
  EXPECT_THAT(Slots(2), ElementsAre(1));
}

}  // namespace
}  // namespace lean::beacon
