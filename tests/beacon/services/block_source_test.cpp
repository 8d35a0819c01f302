#include "beacon/services/block_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <vector>

#include "beacon/chain/chain_types.h"
#include "common/clock/manual_clock.h"
#include "tests/beacon/services/support/chain_source.h"
#include "tests/beacon/services/support/test_network.h"
#include "tests/common/process/captured_log.h"

namespace lean::beacon {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr uint64_t kAll = std::numeric_limits<uint64_t>::max();
constexpr size_t kAnySize = std::numeric_limits<size_t>::max();

// A chain with blocks at slots 1, 2, 4 and 5.
class BlockSourceTest : public testing::Test {
 protected:
  BlockSourceTest() {
    for (uint64_t slot : {1, 2, 4, 5}) blocks_.push_back(source_.AddBlock(slot));
  }

  // Hands the chain to a service; it cannot change after that.
  const BlockSource& Source() {
    service_ = std::make_unique<ChainService>(
        std::move(source_.chain()),
        std::make_unique<SignatureVerifier>(network_.scheme(), network_.registry(), SignatureVerifierOptions()),
        ChainServiceContext{.clock = clock_,
                            .slot_clock = SlotClock(TestNetwork::kGenesisTime, TestNetwork::kSlotMs),
                            .outbound = outbound_,
                            .log = log_.logger()},
        ChainServiceOptions());
    memory_ = std::make_unique<MemoryBlockSource>(*service_);
    return *memory_;
  }

  const TestNetwork network_{4};
  ManualClock clock_{TestNetwork::StartMs(0)};
  CapturedLog log_;
  OutboundChannel outbound_{10};
  ChainSource source_{network_.genesis()};
  std::vector<SignedBlockPtr> blocks_;
  std::unique_ptr<ChainService> service_;
  std::unique_ptr<MemoryBlockSource> memory_;
};

TEST_F(BlockSourceTest, FindsByRoot) {
  const BlockSource& source = Source();
  EXPECT_EQ(source.ByRoot(ChainSource::RootOf(blocks_[2])), blocks_[2]);
  EXPECT_EQ(source.ByRoot(network_.genesis().block_root), nullptr);
  EXPECT_EQ(source.ByRoot(Root()), nullptr);
}

TEST_F(BlockSourceTest, FindsBySlot) {
  const BlockSource& source = Source();
  EXPECT_EQ(source.CanonicalRange(0, kAll, kAnySize), blocks_);
  EXPECT_EQ(source.CanonicalRange(1, kAll, kAnySize), blocks_);
  EXPECT_THAT(source.CanonicalRange(2, 3, kAnySize), ElementsAre(blocks_[1], blocks_[2]));
  EXPECT_THAT(source.CanonicalRange(3, 1, kAnySize), IsEmpty());
  EXPECT_THAT(source.CanonicalRange(5, 0, kAnySize), IsEmpty());
  EXPECT_THAT(source.CanonicalRange(6, kAll, kAnySize), IsEmpty());
  EXPECT_THAT(source.CanonicalRange(kAll, kAll, kAnySize), IsEmpty());
  EXPECT_EQ(source.earliest_slot(), 1u);
}

TEST_F(BlockSourceTest, KeepsToTheBytesButGivesOne) {
  const BlockSource& source = Source();
  EXPECT_THAT(source.CanonicalRange(1, kAll, 0), ElementsAre(blocks_[0]));
  EXPECT_THAT(source.CanonicalRange(1, kAll, BytesOf(*blocks_[0]) + BytesOf(*blocks_[1])),
              ElementsAre(blocks_[0], blocks_[1]));
}

TEST_F(BlockSourceTest, SaysWhereItBegins) {
  ASSERT_EQ(source_.chain().Prune({.states = 8192, .block_bytes = BytesOf(*blocks_[3]) * 3 / 2}).size(), 3u);
  const BlockSource& source = Source();
  EXPECT_EQ(source.earliest_slot(), 5u);
  EXPECT_THAT(source.CanonicalRange(4, kAll, kAnySize), IsEmpty());
  EXPECT_THAT(source.CanonicalRange(5, kAll, kAnySize), ElementsAre(blocks_[3]));
  EXPECT_EQ(source.ByRoot(ChainSource::RootOf(blocks_[2])), nullptr);
}

}  // namespace
}  // namespace lean::beacon
