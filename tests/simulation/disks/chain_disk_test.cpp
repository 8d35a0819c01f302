// What a chain has after the power of its disk has failed.
#include "tests/simulation/disks/chain_disk.h"

#include <random>

#include "gtest/gtest.h"
#include "tests/beacon/storage/stored_chain.h"
#include "tests/common/config/temporary_folder.h"

namespace lean::simulation {
namespace {

class ChainDiskTest : public testing::Test {
 protected:
  std::unique_ptr<beacon::Database> Open() {
    auto opened = beacon::Database::Open(
        {.path = folder_.File("data"), .create = true, .env = disk_.env.get(), .min_free_bytes = 0});
    EXPECT_TRUE(opened.ok()) << opened.status();
    return *std::move(opened);
  }
  static absl::Status Write(beacon::Database& database, int number) {
    beacon::WriteSet writes;
    writes.Put(beacon::Column::kMeta, absl::StrCat("key", number), std::string(100, 'x'));
    writes.Put(beacon::Column::kSlots, absl::StrCat("key", number), "x");
    return database.Write(writes);
  }
  static bool Has(const beacon::Database& database, beacon::Column column, int number) {
    return database.Get(column, absl::StrCat("key", number)).value().has_value();
  }

  const TemporaryFolder folder_;
  ChainDisk disk_;
};

TEST_F(ChainDiskTest, KeepsWholeBatchesUpToThePowerCut) {
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    const int first = static_cast<int>(seed) * 100;
    int written = 0;
    {
      const std::unique_ptr<beacon::Database> database = Open();
      disk_.files->CutPowerAfter(seed % 4, random);
      while (Write(*database, first + written).ok()) ++written;
      EXPECT_TRUE(disk_.files->is_dark());
      EXPECT_FALSE(database->Recover().ok()) << "without power";
    }
    disk_.files->RestorePower();
    const std::unique_ptr<beacon::Database> database = Open();
    for (int number = 0; number <= written; ++number) {
      EXPECT_EQ(Has(*database, beacon::Column::kMeta, first + number), number < written) << number;
      EXPECT_EQ(Has(*database, beacon::Column::kSlots, first + number), number < written) << number;
    }
    EXPECT_TRUE(Write(*database, first + written).ok());
  }
}

TEST_F(ChainDiskTest, TheSameCutKeepsTheSameChain) {
  const Genesis genesis = beacon::StorageTestGenesis(4);
  const auto head_after_cut = [&](const std::string& name) {
    ChainDisk disk;
    const beacon::StoredChainOptions options{.folder = folder_.File(name), .env = disk.env.get()};
    {
      const auto chain = beacon::StoredChain::Open(genesis, options).value();
      for (int slot = 0; slot < 12; ++slot) {
        chain->RunSlot();
        chain->storage().Flush();
      }
      disk.files->CutPower();
    }
    disk.files->RestorePower();
    return beacon::StoredChain::Open(genesis, options).value()->chain().head();
  };
  const Checkpoint head = head_after_cut("one");
  EXPECT_EQ(head.slot, 12u);
  EXPECT_EQ(head_after_cut("two"), head);
}

}  // namespace
}  // namespace lean::simulation
