#include "beacon/sync/block_import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "tests/beacon/services/support/signed_chain.h"
#include "tests/beacon/sync/sync_service_fixture.h"

namespace lean::beacon {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr uint64_t kPeer = 7;

class BlockImportTest : public SyncServiceTest {
 protected:
  // The beacon has genesis, and it is this slot.
  void StartAt(uint64_t slot) {
    clock_.SetWallMs(TestNetwork::StartMs(slot));
    service_.Start();
  }

  BlockImport Make(const BlockImportOptions& options) {
    return BlockImport(
        {.chain = service_, .peers = peers_, .clock = clock_, .inbox = inbox_, .log = log_.logger(), .book = book_},
        options, [this](const SubmitOutcome&, uint64_t slot) { came_.push_back(slot); },
        [this](BlockImport::Result result, uint64_t peer, const std::string& why) {
          EXPECT_EQ(peer, kPeer);
          results_.push_back(result);
          why_ = why;
        });
  }

  // Starts a part and handles its outcomes.
  void Part(BlockImport& import) {
    import.Update(clock_.Steady());
    Outcomes();
  }
  void Outcomes() {
    for (const SyncInbox::Event& event : inbox_->Take(clock_, SteadyTime::max()).events) event();
  }

  PeerBook book_{PeerBookOptions(), /*seed=*/1};
  std::vector<uint64_t> came_;
  std::vector<BlockImport::Result> results_;
  std::string why_;
};

TEST_F(BlockImportTest, PartsAreBoundedByBytesAndHaveABlockEach) {
  SignedChain source(network_);
  const std::vector<SignedBlockPtr> blocks = {source.RunSlot(1), source.RunSlot(2), source.RunSlot(3),
                                              source.RunSlot(4)};
  StartAt(5);
  // The later blocks have votes, and are larger.
  BlockImport import = Make({.bytes = BytesOf(*blocks[0]) + BytesOf(*blocks[1])});
  import.Begin(kPeer, blocks);
  Part(import);
  EXPECT_THAT(came_, ElementsAre(1, 2));
  EXPECT_THAT(results_, IsEmpty());
  Part(import);
  EXPECT_THAT(came_, ElementsAre(1, 2, 3));
  Part(import);
  EXPECT_THAT(came_, ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(results_, ElementsAre(BlockImport::Result::kComplete));
  EXPECT_FALSE(import.active());
  EXPECT_EQ(import.imported(), 4u);
}

// The peer's clock may be right, and ours wrong.
TEST_F(BlockImportTest, WhatFailsForAReasonOfOurOwnIsRepeatedAfterAPause) {
  SignedChain source(network_);
  const std::vector<SignedBlockPtr> blocks = {source.RunSlot(1), source.RunSlot(20)};
  StartAt(2);
  const std::chrono::milliseconds pause{500};
  BlockImport import = Make({.pause = pause});
  import.Begin(kPeer, blocks);
  Part(import);
  EXPECT_THAT(came_, ElementsAre(1));
  EXPECT_THAT(results_, IsEmpty());
  EXPECT_TRUE(import.active());
  import.Update(clock_.Steady());
  EXPECT_TRUE(inbox_->empty());
  clock_.SetWallMs(TestNetwork::StartMs(20));
  clock_.Advance(pause);
  Part(import);
  EXPECT_THAT(came_, ElementsAre(1, 20));
  EXPECT_THAT(results_, ElementsAre(BlockImport::Result::kComplete));
}

TEST_F(BlockImportTest, AWrongBlockEndsItWithTheReason) {
  SignedChain source(network_);
  const SignedBlockPtr first = source.RunSlot(1);
  auto wrong = std::make_shared<SignedBlockWithAttestation>(*source.RunSlot(2));
  wrong->message.block.state_root.data[0] ^= 1;
  StartAt(3);
  BlockImport import = Make({});
  import.Begin(kPeer, {first, wrong});
  Part(import);
  EXPECT_THAT(came_, ElementsAre(1));
  EXPECT_THAT(results_, ElementsAre(BlockImport::Result::kWrong));
  EXPECT_THAT(why_, HasSubstr("that it sent is wrong"));
  EXPECT_FALSE(import.active());
}

TEST_F(BlockImportTest, OutcomesOfAStoppedImportAreOnlyCounted) {
  SignedChain source(network_);
  const SignedBlockPtr first = source.RunSlot(1);
  StartAt(3);
  BlockImport import = Make({});
  import.Begin(kPeer, {first});
  import.Update(clock_.Steady());
  import.Begin(kPeer, {source.RunSlot(2)});
  Outcomes();
  EXPECT_EQ(import.imported(), 1u);
  EXPECT_THAT(came_, IsEmpty());
  Part(import);
  EXPECT_THAT(came_, ElementsAre(2));
  EXPECT_THAT(results_, ElementsAre(BlockImport::Result::kComplete));
}

}  // namespace
}  // namespace lean::beacon
