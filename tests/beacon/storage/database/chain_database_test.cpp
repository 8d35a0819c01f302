#include "beacon/storage/database/chain_database.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "beacon/storage/database/schema.h"
#include "common/bytes/bytes.h"
#include "common/ssz/ssz.h"
#include "tests/beacon/storage/stored_chain.h"
#include "tests/common/config/temporary_folder.h"
#include "tests/common/patience.h"

namespace lean::beacon {
namespace {

class ChainDatabaseTest : public testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<ChainDatabase>> Open(const Genesis& genesis) {
    return ChainDatabase::OpenOrCreate({.path = path_, .network = "test"}, genesis);
  }

  const Genesis genesis_ = StorageTestGenesis(4);
  TemporaryFolder folder_;
  const std::string path_ = folder_.File("data");
};

// The number of files in the database whose names end so.
size_t FilesOf(const std::string& folder, const std::string& ending) {
  size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    files += entry.path().extension() == ending;
  return files;
}

TEST_F(ChainDatabaseTest, ALargeBlockIsWrittenOnceAndASmallOneStaysInTheLog) {
  auto database = Open(genesis_);
  ASSERT_TRUE(database.ok());
  const auto put = [&](size_t bytes, uint64_t slot) {
    WriteSet writes;
    writes.Put(Column::kBlocks, BlockKey(slot, Root()), std::string(bytes, 'b'));
    ChainDatabase::PutSlot(writes, {.root = Root(), .slot = slot});
    ASSERT_TRUE((*database)->files().Write(writes).ok());
  };
  put(kDirectBytes / 2, 1);
  EXPECT_GE(BytesOfFiles(path_, ".log"), kDirectBytes / 2);
  EXPECT_EQ(BytesOfFiles(path_, ".blob"), 0);
  const uint64_t logged = BytesOfFiles(path_, ".log");
  put(3 * kDirectBytes, 2);
  EXPECT_LT(BytesOfFiles(path_, ".log"), logged + kDirectBytes);
  EXPECT_GE(BytesOfFiles(path_, ".blob"), 3 * kDirectBytes);
  // The logs that this needs are bounded.
  for (uint64_t slot = 3; slot < 80; ++slot) put(kDirectBytes, slot);
  EXPECT_LE(FilesOf(path_, ".log"), 40);
  database->reset();
  database = Open(genesis_);
  ASSERT_TRUE(database.ok()) << database.status();
  EXPECT_EQ((*database)->SlotOf(Root()).value(), 79);
  EXPECT_EQ((*database)->HeldBlocks(0)->size(), 79);
}

// RocksDB takes time for each of its files whenever it adds one.
TEST_F(ChainDatabaseTest, LargeBlocksShareTablesAndFromANumberOfFilesOnAlsoFiles) {
  constexpr size_t kBlock = 1000;
  constexpr uint64_t kDirect = 150;
  constexpr uint64_t kBlocks = 2 * kDirect;
  const auto key_of = [](uint64_t slot) { return BlockKey(slot, Root()); };
  {
    auto database = Database::Open({.path = path_, .create = true, .direct_bytes = kBlock, .direct_files = kDirect});
    ASSERT_TRUE(database.ok()) << database.status();
    for (uint64_t slot = 0; slot < kBlocks; ++slot) {
      WriteSet writes;
      writes.Put(Column::kBlocks, key_of(slot), std::string(kBlock, static_cast<char>(slot)));
      ASSERT_TRUE((*database)->Write(writes).ok());
    }
    EXPECT_EQ(FilesOf(path_, ".blob"), kDirect);
    // Tables are merged and deleted by threads of RocksDB.
    const absl::Time deadline = absl::Now() + absl::FromChrono(kPatience);
    while (FilesOf(path_, ".sst") > kDirect / 4 && absl::Now() < deadline) absl::SleepFor(absl::Milliseconds(10));
    EXPECT_LE(FilesOf(path_, ".sst"), kDirect / 4);
  }
  auto database = Database::Open({.path = path_});
  ASSERT_TRUE(database.ok()) << database.status();
  for (uint64_t slot = 0; slot < kBlocks; ++slot) {
    EXPECT_EQ((*database)->Get(Column::kBlocks, key_of(slot)).value(), std::string(kBlock, static_cast<char>(slot)));
  }
  EXPECT_TRUE((*database)->VerifyTables().ok());
}

// The process ended between the creation of the files and the first write.
TEST_F(ChainDatabaseTest, AnInterruptedCreationBeginsAgainWithItsAnchor) {
  std::filesystem::create_directories(path_);
  ASSERT_TRUE(Database::Open({.path = path_ + "/chain", .create = true}).ok());
  ASSERT_TRUE(ChainDatabase::Exists(path_));
  auto state = std::make_shared<State>(*genesis_.state);
  state->slot = 7;
  auto block = std::make_shared<Block>(*genesis_.block);
  block->slot = 7;
  const Anchor anchor{.state = state, .block = block, .signed_block = nullptr, .root = ssz::HashTreeRoot(*block)};
  int made = 0;
  const auto open = [&] {
    return ChainDatabase::OpenOrCreate({.path = path_, .network = "test"}, genesis_, [&]() -> absl::StatusOr<Anchor> {
      ++made;
      if (made == 1) return absl::UnavailableError("no checkpoint yet");
      return anchor;
    });
  };
  EXPECT_EQ(open().status().message(), "no checkpoint yet");
  EXPECT_EQ(open().value()->anchor().root, anchor.root);
  EXPECT_EQ(open().value()->anchor().slot, 7);
  EXPECT_EQ(made, 2) << "the chain is there";
}

TEST_F(ChainDatabaseTest, ANewFolderIsTheOwnersAlone) {
  ASSERT_TRUE(Open(genesis_).ok());
  struct stat info {};
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
}

TEST_F(ChainDatabaseTest, TheFolderOfAnotherChainIsRefusedAndBothAreNamed) {
  ASSERT_TRUE(Open(genesis_).ok());
  const Genesis other = StorageTestGenesis(4, 1'700'000'001);
  const absl::Status status = Open(other).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), ToHex(genesis_.block_root.span()))) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), ToHex(other.block_root.span()))) << status;
  EXPECT_TRUE(Open(genesis_).ok());
}

TEST_F(ChainDatabaseTest, ANewerSchemaIsRefusedAndBothAreNamed) {
  {
    auto database = Open(genesis_);
    ASSERT_TRUE(database.ok());
    WriteSet writes;
    writes.Put(Column::kMeta, meta_key::kSchema, NumberValue(7));
    ASSERT_TRUE((*database)->files().Write(writes).ok());
  }
  const absl::Status status = Open(genesis_).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "schema version 7, this program knows version 1")) << status;
}

TEST_F(ChainDatabaseTest, ASecondHolderIsRefusedAndTheFirstNamed) {
  auto database = Open(genesis_);
  ASSERT_TRUE(database.ok());
  for (const absl::Status& status :
       {Open(genesis_).status(), ChainDatabase::Open({.path = path_}, /*read_only=*/true).status()}) {
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), absl::StrCat("in use by process ", getpid()))) << status;
  }
}

TEST_F(ChainDatabaseTest, WhatIsNotThereIsNotMadeByOpening) {
  EXPECT_TRUE(absl::IsNotFound(ChainDatabase::Open({.path = path_}, /*read_only=*/true).status()));
  EXPECT_FALSE(ChainDatabase::Exists(path_));
}

TEST_F(ChainDatabaseTest, AFolderTellsItsGenesisByItself) {
  ASSERT_TRUE(Open(genesis_).ok());
  auto database = ChainDatabase::Open({.path = path_}, /*read_only=*/true);
  ASSERT_TRUE(database.ok()) << database.status();
  EXPECT_EQ((*database)->genesis().block_root, genesis_.block_root);
  EXPECT_EQ((*database)->network(), "test");
  EXPECT_EQ((*database)->anchor(), (Checkpoint{genesis_.block_root, 0}));
}

TEST(StateSnapshot, IsTheStateAgainWithWhatWasLeftOut) {
  const TemporaryFolder folder;
  const Genesis genesis = StorageTestGenesis(7);
  auto chain = StoredChain::Open(genesis, {.folder = folder.path()}).value();
  chain->RunSlots(5);
  chain->RunSlot(8);
  chain->RunSlots(3);
  const State& state = *chain->chain().head_state();
  const std::string reduced = ReduceState(state);
  EXPECT_LT(reduced.size(), ssz::Serialize(state).size() - 7 * 60 - 10 * 32);
  const auto again = RestoreState(reduced, genesis.state->validators, state.historical_block_hashes.ToVector());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(*again, state);
  EXPECT_TRUE(absl::IsDataLoss(RestoreState(reduced.substr(1), genesis.state->validators, {}).status()));
  const std::string whole = ssz::SerializeToString(state);
  EXPECT_TRUE(absl::IsDataLoss(RestoreState(whole, genesis.state->validators, {}).status()));
}

TEST(Schema, KeysSortBySlot) {
  EXPECT_LT(NumberKey(255), NumberKey(256));
  EXPECT_LT(BlockKey(1, Root{{0xff}}), BlockKey(2, Root{{1}}));
  const Checkpoint id{.root = Root{{1, 2, 3}}, .slot = 0x0102030405060708};
  EXPECT_EQ(ParseBlockKey(BlockKey(id.slot, id.root)), id);
  EXPECT_EQ(ParseNumberValue(NumberValue(id.slot)), id.slot);
  EXPECT_EQ(ParseBlockKey("short"), std::nullopt);
  EXPECT_EQ(ParseNumberKey("123456789"), std::nullopt);
}

}  // namespace
}  // namespace lean::beacon
