// What a beacon drops while it runs.
#include "beacon/storage/prune.h"

#include <gtest/gtest.h>

#include "beacon/storage/database/schema.h"
#include "beacon/storage/verify.h"
#include "spdlog/sinks/null_sink.h"
#include "spdlog/spdlog.h"
#include "tests/beacon/storage/stored_chain.h"
#include "tests/common/config/temporary_folder.h"

namespace lean::beacon {
namespace {

constexpr uint64_t kKept = 8;
constexpr uint64_t kSnapshotSlots = 4;
constexpr uint64_t kStep = 32;  // the least

class PruneTest : public testing::Test {
 protected:
  std::unique_ptr<StoredChain> Open(std::optional<uint64_t> keep_slots, bool sign_randomly = false) {
    auto chain = StoredChain::Open(
        genesis_, {.folder = folder_.path(),
                   .storage = StorageOptions{.snapshot_slots = kSnapshotSlots, .keep_slots = keep_slots},
                   .sign_randomly = sign_randomly});
    EXPECT_TRUE(chain.ok()) << chain.status();
    return chain.ok() ? *std::move(chain) : nullptr;
  }
  static void Run(StoredChain& chain, uint64_t slots) {
    // As the real writer does: the disk is never more than some slots behind.
    for (uint64_t slot = 0; slot < slots; ++slot) {
      chain.RunSlot();
      chain.storage().Flush();
    }
  }
  static bool Holds(StoredChain& chain, uint64_t slot) {
    return *chain.database().BlockByRoot(chain.chain().CanonicalRoot(slot).value()) != nullptr;
  }
  static void ExpectSound(StoredChain& chain) {
    spdlog::logger log("", std::make_shared<spdlog::sinks::null_sink_mt>());
    const VerifyReport report = VerifyDatabase(chain.database(), log, [](uint64_t) {});
    EXPECT_TRUE(report.problems.empty()) << report.problems.front();
    EXPECT_TRUE(report.restart.ok()) << report.restart;
  }

  const Genesis genesis_ = StorageTestGenesis(4);
  TemporaryFolder folder_;
};

TEST_F(PruneTest, ARunningChainKeepsTheNewestAndWhatARestartNeeds) {
  Checkpoint head;
  {
    auto chain = Open(kKept);
    Run(*chain, 100);
    const uint64_t finalized = chain->chain().finalized().slot;
    const uint64_t oldest = chain->database().OldestSlot().value();
    EXPECT_LE(oldest, finalized - kKept);
    EXPECT_GT(oldest, finalized - kKept - kStep - kSnapshotSlots);
    for (uint64_t slot = 1; slot <= chain->chain().head().slot; ++slot) {
      EXPECT_EQ(Holds(*chain, slot), slot >= oldest) << slot;
      const Root root = chain->chain().CanonicalRoot(slot).value();
      EXPECT_EQ(*chain->database().SlotOf(root), slot) << "roots stay";
      if (slot <= finalized) {
        EXPECT_EQ(*chain->database().StateOf({root, slot}) != nullptr, slot >= oldest) << slot;
      }
    }
    ExpectSound(*chain);
    head = chain->chain().head();
  }
  auto again = Open(std::nullopt);
  EXPECT_EQ(again->chain().head(), head);
  const uint64_t oldest = again->database().OldestSlot().value();
  Run(*again, 60);
  EXPECT_EQ(again->database().OldestSlot().value(), oldest) << "without keep_slots nothing more goes";
  ExpectSound(*again);
}

TEST_F(PruneTest, OrphansGoWithTheBlocksAroundThem) {
  auto chain = Open(kKept);
  Run(*chain, 3);
  const Root parent = chain->chain().CanonicalRoot(3).value();
  chain->RunSlot(5);
  const Root orphan = chain->AddOrphan(4, parent);
  chain->storage().Flush();
  ASSERT_NE(*chain->database().BlockByRoot(orphan), nullptr);
  Run(*chain, 60);
  EXPECT_EQ(*chain->database().BlockByRoot(orphan), nullptr);
  EXPECT_EQ(*chain->database().SlotOf(orphan), 4u) << "what is valid depends on it";
  ExpectSound(*chain);
}

TEST_F(PruneTest, TheDiskDoesNotGrow) {
  auto chain = Open(kKept, /*sign_randomly=*/true);
  const auto disk_bytes = [&] { return BytesOfFiles(folder_.path(), ".blob"); };
  Run(*chain, 400);
  const uint64_t block_bytes = 4 * sizeof(SignatureBytes);
  const uint64_t slots = kKept + kSnapshotSlots + kStep + 16;  // what is not finalized, too
  EXPECT_GT(disk_bytes(), 0u);
  EXPECT_LT(disk_bytes(), slots * block_bytes * 3 / 2);
}

TEST_F(PruneTest, MuchAtOnceGoesInSteps) {
  auto chain = Open(std::nullopt);
  chain->RunSlots(1180);
  Run(*chain, 20);  // what is written at once has one snapshot at most
  const uint64_t finalized = chain->chain().finalized().slot;
  EXPECT_EQ(DropOldBlocks(chain->database(), finalized, finalized).value(), std::nullopt) << "it is all to be kept";
  EXPECT_EQ(DropOldBlocks(chain->database(), finalized, kKept).value(), 1 + 1024);
  EXPECT_FALSE(Holds(*chain, 1024));
  EXPECT_TRUE(Holds(*chain, 1025));
  const std::optional<uint64_t> last = DropOldBlocks(chain->database(), finalized, kKept).value();
  ASSERT_TRUE(last.has_value());
  EXPECT_LE(*last, finalized - kKept);
  EXPECT_GT(*last, finalized - kKept - kSnapshotSlots);
  EXPECT_EQ(DropOldBlocks(chain->database(), finalized, kKept).value(), std::nullopt);
  ExpectSound(*chain);
}

TEST_F(PruneTest, ItGoesOnWhereAProcessEnded) {
  auto chain = Open(std::nullopt);
  Run(*chain, 60);
  const uint64_t finalized = chain->chain().finalized().slot;
  // As if the process had ended before the space was given back.
  WriteSet writes;
  ChainDatabase::DropBelow(writes, 20);
  ASSERT_TRUE(chain->database().files().Write(writes).ok());
  EXPECT_EQ(chain->database().OldestSlot().value(), 20u);
  const std::optional<uint64_t> first_kept = DropOldBlocks(chain->database(), finalized, 0).value();
  ASSERT_TRUE(first_kept.has_value());
  EXPECT_GT(*first_kept, 20u);
  EXPECT_EQ(chain->database().OldestSlot().value(), *first_kept);
  ExpectSound(*chain);
}

}  // namespace
}  // namespace lean::beacon
