#include "beacon/storage/stored_block_source.h"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "beacon/storage/database/schema.h"
#include "common/clock/manual_clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/beacon/services/support/test_network.h"
#include "tests/common/config/temporary_folder.h"
#include "tests/common/process/captured_log.h"

namespace lean::beacon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Anybody may ask for what cannot be read, as often as he likes.
TEST(StoredBlockSource, WhatCannotBeReadIsLoggedOnce) {
  const TestNetwork network(4);
  const TemporaryFolder folder;
  const auto database = ChainDatabase::OpenOrCreate({.path = folder.path()}, network.genesis());
  ASSERT_TRUE(database.ok()) << database.status();
  std::vector<Checkpoint> known;
  WriteSet writes;
  for (uint64_t slot : {1, 2}) {
    Checkpoint& id = known.emplace_back();
    id.slot = slot;
    id.root.data[0] = static_cast<uint8_t>(slot);
    writes.Put(Column::kBlocks, BlockKey(id.slot, id.root), "no block");
  }
  ASSERT_TRUE((*database)->files().Write(writes).ok());

  const Genesis& genesis = network.genesis();
  auto chain = LeanChain::FromAnchor(genesis.state, genesis.block, known);
  ASSERT_TRUE(chain.ok()) << chain.status();
  ManualClock clock(TestNetwork::StartMs(0));
  OutboundChannel outbound(1);
  CapturedLog log;
  const ChainService service(
      *std::move(chain),
      std::make_unique<SignatureVerifier>(network.scheme(), network.registry(), SignatureVerifierOptions()),
      ChainServiceContext{.clock = clock,
                          .slot_clock = SlotClock(TestNetwork::kGenesisTime, TestNetwork::kSlotMs),
                          .outbound = outbound,
                          .log = log.logger()},
      ChainServiceOptions());
  const StoredBlockSource source(service, **database, clock, log.logger());
  for (int i = 0; i < 100; ++i) {
    for (const Checkpoint& id : known) EXPECT_EQ(source.ByRoot(id.root), nullptr);
  }
  EXPECT_THAT(log.Matching("block_unreadable"), ElementsAre(HasSubstr("slot=1")));
}

}  // namespace
}  // namespace lean::beacon
