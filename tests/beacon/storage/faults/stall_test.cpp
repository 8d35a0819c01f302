// What is kept of a chain on which nothing is finalized: blocks and states come back from the disk, a restart reads
// little, old blocks can be built on, and finality clears up.
#include <gtest/gtest.h>

#include <optional>

#include "beacon/chain/branch.h"
#include "beacon/storage/database/schema.h"
#include "beacon/storage/verify.h"
#include "common/ssz/ssz.h"
#include "spdlog/sinks/null_sink.h"
#include "spdlog/spdlog.h"
#include "tests/beacon/storage/stored_chain.h"
#include "tests/common/config/temporary_folder.h"

namespace lean::beacon {
namespace {

class StallTest : public testing::Test {
 protected:
  static constexpr uint64_t kValidators = 8;
  static constexpr uint64_t kPresent = 5;  // less than two thirds
  static constexpr uint64_t kHealthy = 20;
  static constexpr uint64_t kStalled = 220;
  static constexpr uint64_t kSnapshotSlots = 8;
  static constexpr PruneLimits kLittle{.states = 8, .block_bytes = 100'000};

  std::unique_ptr<StoredChain> Open() {
    auto chain = StoredChain::Open(
        genesis_,
        {.folder = folder_.path(), .storage = StorageOptions{.snapshot_slots = kSnapshotSlots}, .prune = kLittle});
    EXPECT_TRUE(chain.ok()) << chain.status();
    return chain.ok() ? *std::move(chain) : nullptr;
  }
  // Some slots in which all is well, then too few validators.
  std::unique_ptr<StoredChain> Stalled() {
    auto chain = Open();
    chain->RunSlots(kHealthy);
    for (uint64_t slot = kHealthy + 1; slot <= kStalled; ++slot) chain->RunSlot(slot, kPresent);
    chain->storage().Flush();
    EXPECT_GT(chain->chain().finalized().slot, 0u);
    EXPECT_LT(chain->chain().finalized().slot, kHealthy);
    return chain;
  }
  // Everybody is there until what comes now is finalized.
  static void Resume(StoredChain& chain) {
    const uint64_t from = chain.chain().current_slot();
    while (chain.chain().finalized().slot <= from && chain.chain().current_slot() < from + 100) chain.RunSlot();
    chain.storage().Flush();
    EXPECT_GT(chain.chain().finalized().slot, from);
  }
  static void ExpectSound(StoredChain& chain) {
    spdlog::logger log("", std::make_shared<spdlog::sinks::null_sink_mt>());
    const VerifyReport report = VerifyDatabase(chain.database(), log, [](uint64_t) {});
    EXPECT_TRUE(report.problems.empty()) << report.problems.front();
    EXPECT_TRUE(report.restart.ok()) << report.restart;
  }

  const Genesis genesis_ = StorageTestGenesis(kValidators);
  TemporaryFolder folder_;
};

TEST_F(StallTest, MemoryHoldsAWorkingSetAndTheDiskTheRest) {
  auto chain = Stalled();
  EXPECT_LE(chain->chain().held_states(), kLittle.states);
  EXPECT_LT(chain->chain().held_blocks(), 30u);
  size_t states = 0;
  for (uint64_t slot = 1; slot <= chain->chain().head().slot; ++slot) {
    const std::optional<Root> root = chain->chain().CanonicalRoot(slot);
    if (!root.has_value()) continue;
    const absl::StatusOr<SignedBlockPtr> block = chain->database().BlockByRoot(*root);
    ASSERT_TRUE(block.ok() && *block != nullptr) << slot;
    const absl::StatusOr<StatePtr> state = chain->database().Rebuild(chain->chain().BranchOf(*root).value());
    ASSERT_TRUE(state.ok()) << slot << ": " << state.status();
    EXPECT_EQ(ssz::HashTreeRoot(**state), (*block)->message.block.state_root) << slot;
    ++states;
  }
  EXPECT_GT(states, 100u);
}

TEST_F(StallTest, ARestartReadsTheBlocksSinceTheLastStateAlone) {
  Checkpoint head;
  Checkpoint justified;
  Checkpoint finalized;
  size_t tree_blocks = 0;
  std::vector<std::optional<uint64_t>> vote_slots;
  {
    auto chain = Stalled();
    head = chain->chain().head();
    justified = chain->chain().justified();
    finalized = chain->chain().finalized();
    tree_blocks = chain->chain().ForkChoiceNodes().size();
    for (uint64_t v = 0; v < kValidators; ++v) vote_slots.push_back(chain->chain().LatestVoteSlot(v));
  }
  auto chain = Open();
  EXPECT_LE(chain->restored().replayed, 2 * kSnapshotSlots);
  EXPECT_EQ(chain->chain().head(), head);
  EXPECT_EQ(chain->chain().justified(), justified);
  EXPECT_EQ(chain->chain().finalized(), finalized);
  EXPECT_EQ(chain->chain().ForkChoiceNodes().size(), tree_blocks);
  for (uint64_t v = 0; v < kValidators; ++v) EXPECT_EQ(chain->chain().LatestVoteSlot(v), vote_slots[v]) << v;
  EXPECT_LE(chain->chain().held_states(), kLittle.states + 2 * kSnapshotSlots);
  Resume(*chain);
  ExpectSound(*chain);
}

TEST_F(StallTest, RestartsAtAnySlotLeadToTheSameChain) {
  const TemporaryFolder other;
  auto straight =
      StoredChain::Open(genesis_, {.folder = other.path(), .storage = StorageOptions{.snapshot_slots = kSnapshotSlots}})
          .value();
  for (uint64_t slot = 1; slot <= 60; ++slot) {
    const uint64_t present = slot <= 10 || slot > 45 ? kValidators : kPresent;
    auto chain = Open();
    chain->RunSlot(slot, present);
    straight->RunSlot(slot, present);
    // By slot: the order of the votes in a block is that in which validators were first heard of, which is not kept.
    ASSERT_EQ(chain->chain().head().slot, straight->chain().head().slot) << slot;
    ASSERT_EQ(chain->chain().justified().slot, straight->chain().justified().slot) << slot;
    ASSERT_EQ(chain->chain().finalized().slot, straight->chain().finalized().slot) << slot;
    ASSERT_EQ(chain->chain().safe_target().slot, straight->chain().safe_target().slot) << slot;
    ASSERT_EQ(chain->chain().known_votes().size(), straight->chain().known_votes().size()) << slot;
  }
  EXPECT_GT(straight->chain().finalized().slot, 45u);
}

TEST_F(StallTest, ABlockOnAnOldOneIsImportedOnceItsStateIsComputed) {
  auto chain = Stalled();
  const uint64_t parent_slot = 64;
  ASSERT_TRUE(chain->chain().CanonicalRoot(parent_slot).has_value());
  const Root parent = chain->chain().CanonicalRoot(parent_slot).value();
  ASSERT_EQ(chain->chain().StateOf(parent), nullptr);
  const Checkpoint head = chain->chain().head();
  const size_t rebuilt = chain->rebuilt();
  const Root orphan = chain->AddOrphan(kStalled, parent);
  EXPECT_EQ(chain->rebuilt(), rebuilt + 1);
  EXPECT_EQ(chain->chain().SlotOf(orphan), kStalled);
  EXPECT_FALSE(chain->chain().IsCanonical(orphan));
  EXPECT_EQ(chain->chain().head(), head);

  // Its own state comes back from the disk, too, as that of any branch.
  chain->storage().Flush();
  const absl::StatusOr<StatePtr> state = chain->database().Rebuild(chain->chain().BranchOf(orphan).value());
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_EQ(BlockRootOf(**state), orphan);

  // Which finality ends: links and states of the branch are dropped, its root stays known.
  Resume(*chain);
  const std::vector<Checkpoint> snapshots = chain->database().Snapshots().value();
  for (const Checkpoint& id : snapshots) {
    if (id.slot <= chain->chain().finalized().slot) {
      EXPECT_TRUE(chain->chain().IsCanonical(id.root)) << id.slot;
    }
  }
  EXPECT_EQ(chain->database().Tree(chain->chain().finalized(), UINT64_MAX).value().size(),
            chain->chain().ForkChoiceNodes().size());
  EXPECT_TRUE(chain->chain().HasBlock(orphan));
  ExpectSound(*chain);
}

TEST_F(StallTest, TheHeadMayMoveToABranchWhoseStateIsGone) {
  auto chain = Stalled();
  const Root branch = chain->AddOrphan(kStalled, chain->chain().CanonicalRoot(64).value());
  for (uint64_t slot = kStalled + 1; slot <= kStalled + 40; ++slot) chain->RunSlot(slot, kPresent);
  ASSERT_EQ(chain->chain().StateOf(branch), nullptr);
  const size_t rebuilt = chain->rebuilt();
  const uint64_t slot = kStalled + 41;
  chain->GoTo(slot, 1);
  chain->VoteFor({.root = branch, .slot = kStalled}, slot);
  chain->GoTo(slot, 3);
  EXPECT_EQ(chain->chain().head().root, branch);
  EXPECT_GT(chain->rebuilt(), rebuilt);
  ASSERT_NE(chain->chain().head_state(), nullptr);
  EXPECT_EQ(BlockRootOf(*chain->chain().head_state()), branch);
  EXPECT_EQ(chain->chain().CanonicalRoot(kStalled + 40), std::nullopt);
  chain->RunSlots(3);
  EXPECT_GT(chain->chain().head().slot, slot);
  EXPECT_TRUE(chain->chain().IsCanonical(branch));
}

TEST_F(StallTest, AFolderWithoutLinksIsTakenFromItsFinalizedState) {
  Checkpoint head;
  {
    auto chain = Stalled();
    head = chain->chain().head();
    WriteSet writes;
    // As an older program leaves it.
    const uint64_t finalized = chain->chain().finalized().slot;
    const auto tree = chain->database().Tree(chain->chain().finalized(), UINT64_MAX);
    ASSERT_TRUE(tree.ok()) << tree.status();
    for (const TreeBlock& block : *tree) {
      if (block.slot > finalized) writes.Delete(Column::kCanonical, BlockKey(block.slot, block.root));
    }
    ASSERT_TRUE(chain->database().files().Write(writes).ok());
  }
  auto chain = Open();
  EXPECT_GT(chain->restored().replayed, 100u);
  EXPECT_LE(chain->chain().held_states(), kInMemoryBesideDisk.states);
  EXPECT_EQ(chain->chain().head(), head);
}

}  // namespace
}  // namespace lean::beacon
