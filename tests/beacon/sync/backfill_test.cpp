#include "beacon/sync/backfill.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "beacon/storage/prune.h"
#include "beacon/storage/verify.h"
#include "common/clock/clock.h"
#include "common/clock/manual_clock.h"
#include "common/concurrency/mutex.h"
#include "common/ssz/ssz.h"
#include "spdlog/sinks/null_sink.h"
#include "tests/beacon/services/support/signed_chain.h"
#include "tests/beacon/storage/stored_chain.h"
#include "tests/common/config/temporary_folder.h"

namespace lean::beacon {
namespace {

constexpr uint64_t kAnchorSlot = 30;

std::shared_ptr<spdlog::logger> SilentLog() {
  return std::make_shared<spdlog::logger>("", std::make_shared<spdlog::sinks::null_sink_mt>());
}

// Peers that have the blocks of one database, some of whom do not behave.
class FakePeers : public PeerBlocks {
 public:
  enum Kind { kGood, kByRootOnly, kSilent, kNeverAnswers, kWrongBlocks, kNothing, kLagging };

  // What a kLagging peer has finalized. It is on another branch above.
  static constexpr uint64_t kLaggingSlot = kAnchorSlot - 7;

  explicit FakePeers(const ChainDatabase& database) : database_(database) {}

  std::vector<PeerInfo> Peers() const override {
    MutexLock lock(mutex_);
    std::vector<PeerInfo> peers;
    for (size_t i = 0; i < kinds_.size(); ++i) {
      PeerInfo peer;
      peer.id = i;
      peer.earliest_slot = 1;
      peer.finalized.slot = kinds_[i] == kLagging ? kLaggingSlot : 1000;
      peer.serves_range = kinds_[i] != kByRootOnly;
      if (!gone_.contains(i)) peers.push_back(peer);
    }
    return peers;
  }
  void BlocksByRoot(uint64_t, std::vector<Root> roots, Done done) override {
    std::vector<SignedBlockPtr> blocks;
    for (const Root& root : roots) blocks.push_back(database_.BlockByRoot(root).value());
    done(blocks);
  }
  void BlocksByRange(uint64_t peer, uint64_t first_slot, uint64_t count, Done done) override {
    MutexLock lock(mutex_);
    ++asked_;
    if (kinds_[peer] == kNeverAnswers) return;
    if (kinds_[peer] == kSilent) return done(absl::DeadlineExceededError("no answer"));
    std::vector<SignedBlockPtr> blocks;
    for (uint64_t slot = first_slot; slot < first_slot + count && blocks.size() < 3; ++slot) {
      const auto root = database_.CanonicalRoot(slot);
      if (!root->has_value() || kinds_[peer] == kNothing) continue;
      SignedBlockPtr block = *database_.BlockAt({.root = **root, .slot = slot});
      if (kinds_[peer] == kWrongBlocks || (kinds_[peer] == kLagging && slot > kLaggingSlot)) {
        auto wrong = std::make_shared<SignedBlockWithAttestation>(*block);
        wrong->message.block.state_root.data[0] ^= 1;
        block = wrong;
      }
      blocks.push_back(block);
    }
    done(blocks);
  }
  void Report(uint64_t peer, Offence, std::string) override {
    MutexLock lock(mutex_);
    gone_.insert(peer);
  }

  void Set(std::vector<Kind> kinds) {
    MutexLock lock(mutex_);
    kinds_ = std::move(kinds);
    gone_.clear();
  }
  std::set<uint64_t> reported() const {
    MutexLock lock(mutex_);
    return gone_;
  }
  int asked() const {
    MutexLock lock(mutex_);
    return asked_;
  }

 private:
  const ChainDatabase& database_;
  mutable Mutex mutex_;
  std::vector<Kind> kinds_;
  std::set<uint64_t> gone_;
  int asked_ = 0;
};

class BackfillTest : public testing::Test {
 protected:
  BackfillTest() {
    source_->RunSlots(12);
    source_->RunSlot(15);  // with empty slots before it
    source_->RunSlots(25);
    source_->storage().Flush();
    const Root root = source_->chain().CanonicalRoot(kAnchorSlot).value();
    const SignedBlockPtr block = source_->database().BlockByRoot(root).value();
    const Anchor anchor{.state = source_->database().StateOf({root, kAnchorSlot}).value(),
                        .block = BlockPtr(block, &block->message.block),
                        .signed_block = block,
                        .root = root};
    late_ = StoredChain::Open(genesis_, {.folder = late_folder_.path(), .anchor = anchor}).value();
  }

  std::unique_ptr<Backfill> Make(CheckSignatures check = [](const auto&, const auto&) { return absl::OkStatus(); }) {
    return std::make_unique<Backfill>(
        late_->database(), peers_, std::move(check), clock_, SilentLog(),
        BackfillOptions{.slots_at_once = 8, .rest = 0, .wait = std::chrono::milliseconds(1)});
  }
  uint64_t Oldest() const { return late_->database().OldestSlot().value(); }
  void AwaitOldest(uint64_t slot) const {
    while (Oldest() > slot) std::this_thread::yield();
  }

  RealClock clock_;
  const Genesis genesis_ = StorageTestGenesis(4);
  TemporaryFolder source_folder_;
  TemporaryFolder late_folder_;
  std::unique_ptr<StoredChain> source_ = StoredChain::Open(genesis_, {.folder = source_folder_.path()}).value();
  std::unique_ptr<StoredChain> late_;
  FakePeers peers_{source_->database()};
};

TEST_F(BackfillTest, AChainFromAnAnchorFollowsFromTheFirstBlockAfterIt) {
  for (uint64_t slot = kAnchorSlot + 1; slot <= source_->chain().head().slot; ++slot) {
    const SignedBlockPtr block = source_->database().BlockByRoot(source_->chain().CanonicalRoot(slot).value()).value();
    late_->GoTo(slot, 0);
    EXPECT_EQ(late_->Import(block).status, SubmitOutcome::kAccepted) << slot;
  }
  EXPECT_EQ(late_->chain().head(), source_->chain().head());
  EXPECT_EQ(late_->chain().finalized(), source_->chain().finalized());
}

TEST_F(BackfillTest, APeerWithoutRangesIsAskedByRoot) {
  peers_.Set({FakePeers::kByRootOnly});
  auto backfill = Make();
  backfill->Start();
  AwaitOldest(1);
  backfill->Stop();
  EXPECT_EQ(peers_.asked(), 0) << "by range";
}

TEST_F(BackfillTest, WaitsByItsClockBeforeItAsksAPeerAgain) {
  constexpr std::chrono::seconds kWait{5};
  peers_.Set({FakePeers::kNothing});
  ManualClock clock(0);
  Backfill backfill(late_->database(), peers_, nullptr, clock, SilentLog(), {.rest = 0, .wait = kWait});
  backfill.Start();
  for (int asked = 1; asked <= 3; ++asked) {
    while (clock.NextDeadline() != clock.Steady() + kWait) std::this_thread::yield();
    EXPECT_EQ(peers_.asked(), asked);
    clock.Advance(kWait);
  }
  backfill.Stop();
}

TEST_F(BackfillTest, EndsItsWaitForAnAnswerByItsClock) {
  peers_.Set({FakePeers::kNeverAnswers, FakePeers::kNeverAnswers});
  ManualClock clock(0);
  const BackfillOptions options{.rest = 0};
  Backfill backfill(late_->database(), peers_, nullptr, clock, SilentLog(), options);
  backfill.Start();
  clock.AwaitWaiters(1);
  EXPECT_EQ(peers_.asked(), 1);
  clock.Advance(options.answer);
  while (peers_.asked() < 2) std::this_thread::yield();
  backfill.Stop();
}

TEST_F(BackfillTest, BringsEveryOlderBlock) {
  peers_.Set({FakePeers::kGood});
  EXPECT_EQ(Oldest(), kAnchorSlot);
  auto backfill = Make();
  backfill->Start();
  AwaitOldest(1);
  backfill->Stop();
  for (uint64_t slot = 1; slot <= kAnchorSlot; ++slot) {
    const auto root = source_->chain().CanonicalRoot(slot);
    if (!root.has_value()) continue;
    EXPECT_NE(*late_->database().BlockByRoot(*root), nullptr) << slot;
  }
  const VerifyReport report = VerifyDatabase(late_->database(), *SilentLog(), [](uint64_t) {});
  EXPECT_TRUE(report.problems.empty()) << report.problems.front();
}

TEST_F(BackfillTest, LeavesThoseWhoDoNotBehaveForOneWhoDoes) {
  peers_.Set({FakePeers::kSilent, FakePeers::kWrongBlocks, FakePeers::kNothing, FakePeers::kGood});
  auto backfill = Make();
  backfill->Start();
  AwaitOldest(1);
  backfill->Stop();
  EXPECT_TRUE(peers_.reported().empty() || peers_.reported() == std::set<uint64_t>{1});
}

TEST_F(BackfillTest, APeerIsAskedForWhatItHasFinalized) {
  peers_.Set({FakePeers::kLagging});
  auto backfill = Make();
  backfill->Start();
  // Slots from 22 on are asked for first. The one at 23 is the last that this peer has finalized.
  const auto has = [this](uint64_t slot) {
    const auto root = source_->chain().CanonicalRoot(slot);
    return !root.has_value() || *late_->database().BlockByRoot(*root) != nullptr;
  };
  while (!has(kAnchorSlot - 8) || !has(FakePeers::kLaggingSlot)) std::this_thread::yield();
  backfill->Stop();
  EXPECT_TRUE(peers_.reported().empty());
}

TEST_F(BackfillTest, KeepsNothingWhoseSignaturesAreWrong) {
  peers_.Set({FakePeers::kGood});
  auto backfill =
      Make([](const SignedBlockWithAttestation&, const auto&) { return absl::InvalidArgumentError("wrong"); });
  backfill->Start();
  while (peers_.reported().empty()) std::this_thread::yield();
  backfill->Stop();
  EXPECT_EQ(Oldest(), kAnchorSlot);
  EXPECT_EQ(*late_->database().BlockByRoot(source_->chain().CanonicalRoot(kAnchorSlot - 1).value()), nullptr);
}

TEST_F(BackfillTest, WaitsForAPeerAndGoesOnAfterARestart) {
  peers_.Set({FakePeers::kNothing});
  auto backfill = Make();
  backfill->Start();
  while (peers_.asked() < 2) std::this_thread::yield();
  peers_.Set({FakePeers::kGood});
  AwaitOldest(kAnchorSlot - 8);
  backfill->Stop();
  const uint64_t reached = Oldest();
  backfill = Make();
  backfill->Start();
  AwaitOldest(1);
  backfill->Stop();
  EXPECT_LE(reached, kAnchorSlot - 8);
}

// Neither a peer's answer nor the signatures of a block are waited for.
TEST_F(BackfillTest, StopsWhileItWaitsAndWhileItChecks) {
  peers_.Set({FakePeers::kNeverAnswers});
  auto backfill = Make();
  backfill->Start();
  while (peers_.asked() < 1) std::this_thread::yield();
  backfill->Stop();

  peers_.Set({FakePeers::kGood});
  std::atomic<bool> checking = false;
  backfill = Make([&](const SignedBlockWithAttestation&, const std::stop_token& stop) {
    checking = true;
    while (!stop.stop_requested()) std::this_thread::yield();  // signatures without end
    return absl::CancelledError("");
  });
  backfill->Start();
  while (!checking) std::this_thread::yield();
  backfill->Stop();
  EXPECT_TRUE(peers_.reported().empty()) << "the peer did nothing wrong";
  EXPECT_EQ(Oldest(), kAnchorSlot);
}

TEST_F(BackfillTest, WhatWasPrunedOnRequestIsNotFetchedAgain) {
  StoredChain& chain = *source_;
  const absl::StatusOr<PruneResult> pruned = PruneDatabase(chain.database(), {.keep_slots = 4});
  ASSERT_TRUE(pruned.ok()) << pruned.status();
  EXPECT_GT(pruned->old_blocks, 0u);
  const uint64_t oldest = chain.database().OldestSlot().value();
  EXPECT_GT(oldest, 1u);
  EXPECT_EQ(chain.database().FloorSlot().value(), oldest);
  Backfill backfill(chain.database(), peers_, nullptr, clock_, SilentLog(), BackfillOptions());
  backfill.Start();
  backfill.Stop();
  EXPECT_EQ(peers_.asked(), 0);
}

TEST_F(BackfillTest, StopsAtAFloorThatRisesMeanwhile) {
  constexpr uint64_t kFloor = kAnchorSlot - 4;  // within the slots that it asks for first
  peers_.Set({FakePeers::kNothing});
  auto backfill = Make();
  backfill->Start();
  while (peers_.asked() < 2) std::this_thread::yield();
  WriteSet writes;
  ChainDatabase::DropBelow(writes, kFloor);
  ASSERT_TRUE(late_->database().files().Write(writes).ok());
  peers_.Set({FakePeers::kGood});
  AwaitOldest(kFloor);
  backfill->Stop();
  EXPECT_EQ(Oldest(), kFloor);
  EXPECT_NE(*late_->database().BlockByRoot(source_->chain().CanonicalRoot(kFloor).value()), nullptr);
  // One question may have been under way with the old floor.
  EXPECT_EQ(*late_->database().BlockByRoot(source_->chain().CanonicalRoot(kAnchorSlot - 9).value()), nullptr);
  const int asked = peers_.asked();
  backfill = Make();
  backfill->Start();
  backfill->Stop();
  EXPECT_EQ(peers_.asked(), asked);
}

TEST_F(BackfillTest, PruningDropsOrphansAndKeepsTheirRoots) {
  StoredChain& chain = *source_;
  const uint64_t head = chain.chain().head().slot;
  chain.RunSlot(head + 2);
  const Root orphan = chain.AddOrphan(head + 1, chain.chain().CanonicalRoot(head).value());
  chain.RunSlots(6);
  chain.storage().Flush();
  ASSERT_NE(*chain.database().BlockByRoot(orphan), nullptr);
  const absl::StatusOr<PruneResult> pruned = PruneDatabase(chain.database(), {});
  ASSERT_TRUE(pruned.ok()) << pruned.status();
  EXPECT_EQ(pruned->orphans, 1u);
  EXPECT_EQ(pruned->old_blocks, 0u);
  EXPECT_EQ(*chain.database().BlockByRoot(orphan), nullptr);
  EXPECT_EQ(*chain.database().SlotOf(orphan), head + 1);
  const VerifyReport report = VerifyDatabase(chain.database(), *SilentLog(), [](uint64_t) {});
  EXPECT_TRUE(report.problems.empty()) << report.problems.front();
  EXPECT_TRUE(report.restart.ok()) << report.restart;
}

TEST_F(BackfillTest, VerifyFindsABlockThatIsAnother) {
  StoredChain& chain = *source_;
  const Root root = chain.chain().CanonicalRoot(5).value();
  const SignedBlockPtr other = *chain.database().BlockByRoot(chain.chain().CanonicalRoot(6).value());
  WriteSet writes;
  ChainDatabase::PutBlock(writes, root, other);  // under slot 6, with the root of slot 5
  ASSERT_TRUE(chain.database().files().Write(writes).ok());
  const VerifyReport report = VerifyDatabase(chain.database(), *SilentLog(), [](uint64_t) {});
  EXPECT_FALSE(report.problems.empty());
}

TEST(SignatureCheckTest, ChecksEverySignature) {
  const TestNetwork network(4);
  SignedChain source(network);
  for (uint64_t slot = 1; slot <= 4; ++slot) source.RunSlot(slot);
  const CheckSignatures check = SignatureCheck(network.scheme(), network.registry());
  const SignedBlockWithAttestation block = *source.RunSlot(5);
  ASSERT_GT(block.signature.size(), 1u);
  EXPECT_TRUE(check(block, {}).ok());
  std::stop_source stop;
  stop.request_stop();
  EXPECT_TRUE(absl::IsCancelled(check(block, stop.get_token())));
  for (size_t i = 0; i < block.signature.size(); ++i) {
    SignedBlockWithAttestation wrong = block;
    wrong.signature[i].data[20] ^= 1;
    EXPECT_FALSE(check(wrong, {}).ok()) << i;
  }
}

}  // namespace
}  // namespace lean::beacon
