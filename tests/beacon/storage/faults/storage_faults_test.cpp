// A disk that fails while the chain goes on: nothing is accepted, nothing crashes, and it comes back.
#include <gtest/gtest.h>

#include <thread>
#include <tuple>

#include "absl/strings/match.h"
#include "beacon/storage/database/schema.h"
#include "common/clock/manual_clock.h"
#include "tests/beacon/storage/faults/fault_env.h"
#include "tests/beacon/storage/stored_chain.h"
#include "tests/common/config/temporary_folder.h"

namespace lean::beacon {
namespace {

class StorageFaultsTest : public testing::TestWithParam<std::tuple<DiskFault, size_t>> {
 protected:
  absl::StatusOr<std::unique_ptr<StoredChain>> Open() {
    return StoredChain::Open(genesis_, {.folder = folder_.path(),
                                        .env = disk_.env.get(),
                                        .direct_bytes = std::get<1>(GetParam()),
                                        .storage = storage_});
  }

  static void AwaitHealth(const StoredChain& chain, bool ok) {
    while (chain.storage().Health().ok() != ok) std::this_thread::yield();
  }

  const Genesis genesis_ = StorageTestGenesis(4);
  TemporaryFolder folder_;
  FaultEnv disk_;
  StorageOptions storage_{.snapshot_slots = 8, .retry = std::chrono::milliseconds(2)};
};

TEST_P(StorageFaultsTest, StopsAcceptingAndRecoversWithoutALoss) {
  auto opened = Open();
  ASSERT_TRUE(opened.ok()) << opened.status();
  StoredChain& chain = **opened;
  chain.RunSlots(10);
  chain.storage().Flush();
  EXPECT_TRUE(chain.storage().CanAccept().ok());

  disk_.files->Set(std::get<0>(GetParam()));
  chain.RunSlot();  // what was admitted before the disk failed
  AwaitHealth(chain, false);
  const absl::Status refused = chain.storage().CanAccept();
  EXPECT_TRUE(absl::IsUnavailable(refused)) << refused;
  EXPECT_TRUE(absl::StrContains(refused.message(), folder_.path())) << refused;
  chain.RunSlot();
  const uint64_t failures = disk_.files->failures();
  while (disk_.files->failures() < failures + 3) std::this_thread::yield();  // it is tried again and again
  EXPECT_FALSE(chain.storage().CanAccept().ok());

  disk_.files->Set(DiskFault::kNone);
  AwaitHealth(chain, true);
  EXPECT_TRUE(chain.storage().CanAccept().ok());
  chain.RunSlots(5);
  const Checkpoint head = chain.chain().head();
  const Checkpoint finalized = chain.chain().finalized();
  opened->reset();
  opened = Open();
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ((*opened)->chain().head(), head);
  EXPECT_EQ((*opened)->chain().finalized(), finalized);
}

TEST_P(StorageFaultsTest, AtAnyWriteTheFolderStaysConsistent) {
  Checkpoint finalized;
  const int64_t step = std::get<1>(GetParam()) == 1 ? 9 : 3;  // direct writes take longer
  for (int64_t after = 0; after < 30; after += step) {
    disk_.files->Set(DiskFault::kNone);
    auto opened = Open();
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_GE((*opened)->chain().finalized().slot, finalized.slot);
    EXPECT_TRUE((*opened)->chain().IsCanonical(finalized.root) || finalized.slot == 0);
    (*opened)->storage().Flush();
    finalized = (*opened)->chain().finalized();
    disk_.files->Set(std::get<0>(GetParam()), after);
    (*opened)->RunSlots(3);
    // The process ends with its disk still failing.
  }
}

TEST(StorageStepTest, WritesWithoutAThreadAndTriesAgainAfterAWhile) {
  const TemporaryFolder folder;
  FaultEnv disk;
  const auto database =
      ChainDatabase::OpenOrCreate({.path = folder.File("data"), .env = disk.env.get()}, StorageTestGenesis(4)).value();
  ManualClock clock(0);
  StorageService storage(*database, clock, std::make_shared<spdlog::logger>("none"), {});
  const auto stored_head = [&] { return database->ReadCheckpoint(meta_key::kHead).value().value().slot; };
  const auto push = [&](uint64_t slot) {
    storage.CheckpointsChanged({.head = {.root = {}, .slot = slot}, .justified = {}, .finalized = {}});
  };
  EXPECT_FALSE(storage.Step()) << "nothing waits";
  push(5);
  EXPECT_TRUE(storage.Step());
  EXPECT_EQ(stored_head(), 5u);

  disk.files->Set(DiskFault::kIoError);
  push(6);
  EXPECT_FALSE(storage.Step());
  EXPECT_FALSE(storage.CanAccept().ok());
  disk.files->Set(DiskFault::kNone);
  EXPECT_FALSE(storage.Step()) << "not yet";
  clock.Advance(StorageOptions().retry);
  EXPECT_TRUE(storage.Step());
  EXPECT_TRUE(storage.CanAccept().ok());
  EXPECT_EQ(stored_head(), 6u);
  EXPECT_EQ(storage.queue().items, 0u);
}

INSTANTIATE_TEST_SUITE_P(Faults, StorageFaultsTest,
                         testing::Combine(testing::Values(DiskFault::kNoSpace, DiskFault::kIoError, DiskFault::kTorn,
                                                          DiskFault::kSyncFailed, DiskFault::kReadOnly),
                                          testing::Values(1, kDirectBytes)));

}  // namespace
}  // namespace lean::beacon
