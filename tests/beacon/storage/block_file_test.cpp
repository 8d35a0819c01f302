#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <vector>

#include "absl/strings/match.h"
#include "beacon/storage/chain_files.h"
#include "beacon/storage/database/schema.h"
#include "common/ssz/ssz.h"
#include "tests/beacon/storage/stored_chain.h"
#include "tests/common/config/temporary_folder.h"

namespace lean::beacon {
namespace {

class BlockFileTest : public testing::Test {
 protected:
  BlockFileTest() {
    chain_->RunSlots(12);
    chain_->RunSlot(15);  // with empty slots before it
    chain_->RunSlots(10);
    chain_->storage().Flush();
  }

  // Slots of the blocks, which are compared with the chain's.
  std::vector<uint64_t> SlotsIn(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string magic(8, '\0');
    file.read(magic.data(), 8);
    EXPECT_EQ(magic, "LEANBLK1");
    std::vector<uint64_t> slots;
    std::string length(8, '\0');
    while (file.read(length.data(), 8)) {
      std::string bytes(ParseNumberValue(length).value(), '\0');
      EXPECT_TRUE(file.read(bytes.data(), static_cast<std::streamsize>(bytes.size())));
      const auto block = ssz::Deserialize<SignedBlockWithAttestation>(BytesOfText(bytes));
      if (!block.ok()) break;
      slots.push_back(block->message.block.slot);
      EXPECT_EQ(*block, **chain_->database().BlockByRoot(chain_->chain().CanonicalRoot(slots.back()).value()));
    }
    EXPECT_EQ(file.gcount(), 0) << "something is behind the last block";
    return slots;
  }
  absl::StatusOr<uint64_t> Write(const SlotRange& slots) {
    std::filesystem::remove(path_);
    return WriteBlockFile(path_, chain_->database(), slots);
  }

  const Genesis genesis_ = StorageTestGenesis(4);
  TemporaryFolder folder_;
  std::unique_ptr<StoredChain> chain_ =
      StoredChain::Open(genesis_, {.folder = folder_.File("data"), .sign_randomly = true}).value();
  const std::string path_ = folder_.File("blocks");
};

TEST_F(BlockFileTest, HasTheFinalizedBlocksOfTheSlots) {
  const absl::StatusOr<uint64_t> blocks = Write({.first = 11, .last = 16});
  ASSERT_TRUE(blocks.ok()) << blocks.status();
  EXPECT_EQ(*blocks, 4u);
  EXPECT_EQ(SlotsIn(path_), (std::vector<uint64_t>{11, 12, 15, 16}));
  EXPECT_EQ(Write({.first = 13, .last = 14}).value(), 0u);
  EXPECT_EQ(SlotsIn(path_), std::vector<uint64_t>());
}

TEST_F(BlockFileTest, SlotsThatAreNotAllThereAreRefusedAndThoseThatAreNamed) {
  const uint64_t finalized = chain_->chain().finalized().slot;
  for (const SlotRange slots : {SlotRange{0, 5}, SlotRange{5, finalized + 1}}) {
    const absl::Status status = Write(slots).status();
    EXPECT_TRUE(absl::IsOutOfRange(status)) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), absl::StrCat("held of slots 1..", finalized))) << status;
  }
  WriteSet writes;
  ChainDatabase::DropBelow(writes, 8);
  ASSERT_TRUE(chain_->database().files().Write(writes).ok());
  EXPECT_TRUE(absl::IsOutOfRange(Write({.first = 7, .last = 9}).status()));
  EXPECT_TRUE(Write({.first = 8, .last = finalized}).ok());
}

TEST_F(BlockFileTest, NothingIsLeftWhenABlockIsMissing) {
  WriteSet writes;
  writes.Delete(Column::kBlocks, BlockKey(6, chain_->chain().CanonicalRoot(6).value()));
  ASSERT_TRUE(chain_->database().files().Write(writes).ok());
  const absl::Status status = Write({.first = 5, .last = 7}).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_FALSE(std::filesystem::exists(path_));
  const absl::Status nowhere = WriteBlockFile(folder_.File("none/blocks"), chain_->database(), {8, 9}).status();
  EXPECT_TRUE(absl::IsNotFound(nowhere)) << nowhere;
  EXPECT_TRUE(absl::StrContains(nowhere.message(), folder_.File("none/blocks"))) << nowhere;
}

TEST_F(BlockFileTest, AFileOfThatNameIsLeftAsItIs) {
  folder_.Write("blocks", "mine");
  const absl::Status status = WriteBlockFile(path_, chain_->database(), {.first = 5, .last = 7}).status();
  EXPECT_TRUE(absl::IsAlreadyExists(status)) << status;
  EXPECT_EQ(folder_.Read("blocks"), "mine");
}

TEST(SlotRangeTest, IsTwoSlots) {
  const SlotRange slots = ParseSlotRange("7..12").value();
  EXPECT_EQ(slots.first, 7u);
  EXPECT_EQ(slots.last, 12u);
  EXPECT_TRUE(ParseSlotRange("7..7").ok());
  for (const char* text : {"", "7", "7..", "..7", "7..6", "7-9", "-1..4", "1..2..3", "a..b", "1..18446744073709551616",
                           "+7..9", "7.. 9", "7..9 ", "07..9"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseSlotRange(text).status())) << text;
  }
}

}  // namespace
}  // namespace lean::beacon
