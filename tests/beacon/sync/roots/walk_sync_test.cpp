// Blocks that are fetched by root.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "beacon/sync/sync_service.h"
#include "tests/beacon/services/support/signed_chain.h"
#include "tests/beacon/sync/fake_peers.h"
#include "tests/beacon/sync/sync_service_fixture.h"

namespace lean::beacon {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

// Only blocks by root, one after the other, from the head back; more than may be in memory at once.
TEST_F(SyncServiceTest, APeerWithoutRangesIsWalkedBackByRoot) {
  const OrphanedVote run(network_, kLastSlot);
  FakePeers::Peer peer{.info = {}, .canonical = run.canonical, .others = {}};
  peer.info.serves_range = false;
  peers_.Add(1, peer);
  StartAt(kLastSlot + 8, 1);
  ASSERT_TRUE(AwaitHead(run.source));
  EXPECT_THAT(peers_.offenders(), IsEmpty());
  EXPECT_THAT(log_.Matching("sync_range_begins"), IsEmpty());
  ASSERT_TRUE(Await([&] { return log_.Count("sync_walk_ended") == 1; }));
  EXPECT_THAT(log_.Matching("sync_walk_ended"), Contains(HasSubstr("lowest_slot=1 blocks=23")));
  EXPECT_GT(peers_.answered()[1], 23) << "what was let go of came again";
}

TEST_F(SyncServiceTest, WhoServesRangesIsAskedBeforeWhoDoesNot) {
  const OrphanedVote run(network_, kLastSlot);
  FakePeers::Peer peer{.info = {}, .canonical = run.canonical, .others = {}};
  peers_.Add(2, peer);
  peer.info.serves_range = false;
  peers_.Add(1, peer);
  StartAt(kLastSlot + 8, 2);
  ASSERT_TRUE(AwaitHead(run.source));
  EXPECT_THAT(log_.Matching("sync_walk"), IsEmpty());
  EXPECT_EQ(peers_.answered().count(1), 0u);
}

// That nobody tells from where on it has blocks is found out, and no offence.
TEST_F(SyncServiceTest, APeerThatHasPrunedWithoutSayingSoIsNoLiar) {
  const OrphanedVote run(network_, kLastSlot);
  FakePeers::Peer pruned{.info = {}, .canonical = {run.canonical.begin() + 10, run.canonical.end()}, .others = {}};
  peers_.Add(1, pruned);
  pruned.info.serves_range = false;
  peers_.Add(2, pruned);
  StartAt(kLastSlot + 8, 2);
  ASSERT_TRUE(Await([&] { return board_.Get().message.find("the oldest is of slot 12") != std::string::npos; }))
      << log_.text();
  EXPECT_THAT(peers_.offenders(), IsEmpty());
  peers_.Add(3, {.info = {}, .canonical = run.canonical, .others = {}});
  ASSERT_TRUE(AwaitHead(run.source));
  EXPECT_THAT(peers_.offenders(), IsEmpty());
}

// Its branch has lost while it was parted from the others, and it does not know that yet.
TEST_F(SyncServiceTest, APeerOnABranchBelowOurFinalizedBlockIsNoLiar) {
  SignedChain ours(network_);
  FakePeers::Peer peer;
  for (uint64_t slot = 1; slot <= kLastSlot; ++slot) peer.canonical.push_back(ours.RunSlot(slot));
  ASSERT_GT(ours.chain().finalized().slot, 3u);
  peers_.Add(1, peer);
  StartAt(kLastSlot + 16, 1);
  ASSERT_TRUE(AwaitHead(ours));
  SignedChain theirs(network_);
  FakePeers::Peer parted;
  parted.info.serves_range = false;
  for (const uint64_t slot : {2, 3, 25, 26, 27, 28}) {
    parted.canonical.push_back(theirs.Build(slot));
    theirs.Import(parted.canonical.back());
  }
  peers_.Add(2, parted);
  ASSERT_TRUE(Await([&] { return log_.Count("sync_walk_ended") > 0; })) << log_.text();
  EXPECT_THAT(log_.Matching("sync_walk_ended").back(), HasSubstr("its chain leaves ours below slot"));
  EXPECT_THAT(peers_.offenders(), IsEmpty());
}

// A chain whose proposers did not sign it could have any length: it is left at its first block.
TEST_F(SyncServiceTest, AMadeUpChainIsFoundOutAtItsFirstBlock) {
  const OrphanedVote run(network_, kLastSlot);
  FakePeers::Peer liar{.info = {}, .canonical = {}, .others = {}};
  Root parent = network_.genesis().block_root;
  for (uint64_t slot = 1; slot <= 30; ++slot) {
    auto block = std::make_shared<SignedBlockWithAttestation>(*network_.BlockAtEdge(slot, parent, {}));
    block->signature[0].data[50] ^= 1;
    parent = SignedChain::RootOf(block);
    liar.canonical.push_back(block);
  }
  liar.info.serves_range = false;
  peers_.Add(1, liar);
  StartAt(kLastSlot + 8, 2);
  ASSERT_TRUE(Await([&] { return IsBlamed(1, Offence::kInvalidItem); }));
  EXPECT_EQ(peers_.answered()[1], 1);
  FakePeers::Peer honest{.info = {}, .canonical = run.canonical, .others = {}};
  honest.info.serves_range = false;
  peers_.Add(2, honest);
  ASSERT_TRUE(AwaitHead(run.source));
}

// At the live edge: what a vote or a block names is fetched by its root, and its ancestors after it.
TEST_F(SyncServiceTest, MissingBlocksAndTheirAncestorsAreFetchedByRoot) {
  const OrphanedVote run(network_, 6);
  StartAt(6);
  FakePeers::Peer quiet;  // nobody is ahead: there is nothing to fetch by range
  quiet.info.head = {.root = network_.genesis().block_root, .slot = 0};
  peers_.Add(1, quiet);
  quiet.others = run.canonical;
  quiet.others.push_back(run.orphan);
  peers_.Add(2, quiet);
  service_.SubmitBlock(run.canonical.back(), Origin::Peer(1), [](const SubmitOutcome&) {});
  ASSERT_TRUE(Await([&] { return Head() == run.source.chain().head(); }));
  EXPECT_TRUE(Has(run.orphan));
  EXPECT_THAT(peers_.offenders(), IsEmpty());
  // It counts them after it has imported them.
  EXPECT_TRUE(Await([&] { return service_.queue_sizes().waiting_blocks == 0; }));
}

}  // namespace
}  // namespace lean::beacon
