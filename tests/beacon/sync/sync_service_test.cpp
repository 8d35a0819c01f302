// Catching up with peers, honest and not.
#include "beacon/sync/sync_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "tests/beacon/services/support/signed_chain.h"
#include "tests/beacon/sync/fake_peers.h"
#include "tests/beacon/sync/sync_service_fixture.h"

namespace lean::beacon {
namespace {

using testing::Contains;
using testing::Each;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// The chain of the peers has an orphan that nobody has any more, and a vote that names it.
TEST_F(SyncServiceTest, ALateJoinerCatchesUpFromSeveralPeersAcrossAnOrphan) {
  const OrphanedVote run(network_, kLastSlot);
  for (uint64_t id = 1; id <= 3; ++id) peers_.Add(id, {.info = {}, .canonical = run.canonical, .others = {}});
  StartAt(kLastSlot + 8, 3);
  EXPECT_FALSE(board_.Get().synced);
  ASSERT_TRUE(AwaitHead(run.source));
  EXPECT_EQ(service_.Read([](const LeanChain& chain) { return chain.finalized(); }), run.source.chain().finalized());
  EXPECT_FALSE(Has(run.orphan));
  EXPECT_THAT(peers_.answered(), SizeIs(3));
  EXPECT_THAT(peers_.offenders(), IsEmpty());
  EXPECT_EQ(outbound_.size(), 0u);
  EXPECT_THAT(log_.Matching("info syncing head_slot=0"), Contains(HasSubstr("24 slots behind fake")));
  EXPECT_THAT(log_.Matching("sync_progress"), Contains(HasSubstr("slots_left=")));
  EXPECT_THAT(log_.Matching("info synced"), SizeIs(1));
  ASSERT_TRUE(Await([&] { return !log_.Matching("sync_range_ended").empty(); }));
  EXPECT_THAT(log_.Matching("sync_range_ended"), Contains(HasSubstr("blocks=23")));
}

TEST_F(SyncServiceTest, GoesOnWhenAPeerDies) {
  const OrphanedVote run(network_, kLastSlot);
  auto answers_left = std::make_shared<std::atomic<int>>(4);
  peers_.Add(1, {.info = {},
                 .canonical = run.canonical,
                 .others = {},
                 .change = [answers_left](FakePeers::Blocks blocks) -> absl::StatusOr<FakePeers::Blocks> {
                   if ((*answers_left)-- > 0) return blocks;
                   return absl::UnavailableError("the link broke");
                 }});
  StartAt(kLastSlot + 8, 1);
  ASSERT_TRUE(Await([&] { return Head().slot >= 3 && *answers_left <= 0; }));
  EXPECT_LT(Head().slot, kLastSlot);
  peers_.Remove(1);
  peers_.Add(2, {.info = {}, .canonical = run.canonical, .others = {}});
  ASSERT_TRUE(AwaitHead(run.source));
  EXPECT_THAT(peers_.offenders(), IsEmpty());
}

TEST_F(SyncServiceTest, ASilentPeerDoesNotHoldItUp) {
  const OrphanedVote run(network_, kLastSlot);
  peers_.Add(1, {.info = {}, .canonical = run.canonical, .others = {}, .silent = true});
  peers_.Add(2, {.info = {}, .canonical = run.canonical, .others = {}});
  StartAt(kLastSlot + 8, 2);
  ASSERT_TRUE(AwaitHead(run.source));
  const size_t expired = peers_.Expire();
  ASSERT_GT(expired, 0u);
  ASSERT_TRUE(Await([&] { return log_.Matching("sync_request_failed peer=fake").size() == expired; }));
  EXPECT_THAT(peers_.offenders(), IsEmpty()) << "the network has reported it, and one cause is one offence";
}

TEST_F(SyncServiceTest, ALiarAboutItsHeadIsFoundOutAndLeftBehind) {
  const OrphanedVote run(network_, kLastSlot);
  peers_.Add(1, {.info = {}, .canonical = run.canonical, .others = {}});
  FakePeers::Peer liar{.info = {}, .canonical = run.canonical, .others = {}};
  liar.info.head = {.root = Root(), .slot = 60};
  liar.info.head.root.data[0] = 1;
  peers_.Add(2, liar);
  FakePeers::Peer future = liar;
  future.info.head.slot = 1'000'000;
  peers_.Add(3, future);
  StartAt(60, 3);
  ASSERT_TRUE(AwaitHead(run.source));
  EXPECT_TRUE(IsBlamed(2, Offence::kLied));
  EXPECT_THAT(peers_.offenders(), Each(Field(&FakePeers::Offender::peer, 2u)));
}

// Alone with liars that say nothing and never answer, we are not syncing for ever.
TEST_F(SyncServiceTest, LiarsAloneDoNotKeepUsSyncing) {
  FakePeers::Peer liar;
  liar.info.head.slot = 60;
  liar.info.head.root.data[0] = 1;
  liar.silent = true;
  for (uint64_t id = 1; id <= 3; ++id) peers_.Add(id, liar);
  StartAt(60, 1);
  ASSERT_TRUE(Await([&] { return !log_.Matching("info syncing").empty(); }));
  ASSERT_TRUE(Await([&] { return board_.Get().synced; }));
}

TEST_F(SyncServiceTest, WrongBlocksAreBlamedAndFetchedFromAnother) {
  const OrphanedVote run(network_, kLastSlot);
  peers_.Add(1, {.info = {},
                 .canonical = run.canonical,
                 .others = {},
                 .change = [](FakePeers::Blocks blocks) -> absl::StatusOr<FakePeers::Blocks> {
                   for (SignedBlockPtr& block : blocks) {
                     auto changed = std::make_shared<SignedBlockWithAttestation>(*block);
                     changed->signature[0].data[50] ^= 1;
                     block = changed;
                   }
                   return blocks;
                 }});
  peers_.Add(2, {.info = {},
                 .canonical = run.canonical,
                 .others = {},
                 .change = [](FakePeers::Blocks blocks) -> absl::StatusOr<FakePeers::Blocks> {
                   if (blocks.size() > 2) blocks.erase(blocks.begin() + 1);
                   return blocks;
                 }});
  peers_.Add(3, {.info = {}, .canonical = run.canonical, .others = {}});
  StartAt(kLastSlot + 8, 3);
  ASSERT_TRUE(AwaitHead(run.source));
  EXPECT_TRUE(IsBlamed(1, Offence::kInvalidItem) || IsBlamed(2, Offence::kBadAnswer));
  EXPECT_THAT(peers_.offenders(), Each(Field(&FakePeers::Offender::peer, testing::Ne(3u))));
}

// A peer that says "nothing there" of ranges where there is something.
TEST_F(SyncServiceTest, BlocksThatAreKeptBackComeFromAnother) {
  const OrphanedVote run(network_, kLastSlot);
  peers_.Add(
      1, {.info = {},
          .canonical = run.canonical,
          .others = {},
          .change = [](const FakePeers::Blocks&) -> absl::StatusOr<FakePeers::Blocks> { return FakePeers::Blocks(); }});
  peers_.Add(2, {.info = {}, .canonical = run.canonical, .others = {}});
  StartAt(kLastSlot + 8, 2);
  ASSERT_TRUE(AwaitHead(run.source));
  EXPECT_THAT(peers_.offenders(), Each(Field(&FakePeers::Offender::peer, 1u)));
}

// All beacons come back after a long pause: nobody is ahead, and the chain must go on.
TEST_F(SyncServiceTest, NobodyAheadIsSynced) {
  for (uint64_t id = 1; id <= 2; ++id) {
    FakePeers::Peer peer;
    peer.info.head = {.root = network_.genesis().block_root, .slot = 0};
    peers_.Add(id, peer);
  }
  StartAt(200, 2);
  ASSERT_TRUE(Await([&] { return board_.Get().synced; }));
  EXPECT_THAT(log_.Matching("syncing"), IsEmpty());
  EXPECT_THAT(peers_.answered(), IsEmpty());
}

TEST_F(SyncServiceTest, WaitsForItsFirstPeersButNotForEver) {
  StartAt(200, 2);
  EXPECT_EQ(board_.Get().message, "waiting for the first peers");
  EXPECT_FALSE(board_.Get().synced);
  ASSERT_TRUE(Await([&] { return board_.Get().synced; }));
}

// The peers' chain leaves ours far below our head.
TEST_F(SyncServiceTest, AForkBelowTheHeadIsFollowed) {
  SignedChain ours(network_);
  for (uint64_t slot = 1; slot <= 10; ++slot) {
    if (slot % 3 != 0) ours.Import(ours.Build(slot));  // no votes: nothing is justified
  }
  SignedChain theirs(network_);
  FakePeers::Blocks blocks;
  for (uint64_t slot = 3; slot <= 12; ++slot) blocks.push_back(theirs.RunSlot(slot));
  StartAt(12 + 8);
  for (uint64_t slot = 1; slot <= 10; ++slot) {
    if (const auto root = ours.chain().CanonicalRoot(slot)) {
      service_.SubmitBlock(ours.chain().SignedBlockOf(*root), Origin::Local(), [](const SubmitOutcome&) {});
    }
  }
  ASSERT_TRUE(Await([&] { return Head().slot == 10; }));
  peers_.Add(1, {.info = {}, .canonical = blocks, .others = {}});
  ASSERT_TRUE(Await([&] { return Head() == theirs.chain().head(); }));
  EXPECT_THAT(peers_.offenders(), IsEmpty());
  EXPECT_THAT(log_.Matching("sync_range_begins"), Contains(HasSubstr("first_slot=11 last_slot=12")));
  EXPECT_THAT(log_.Matching("sync_range_begins"), Contains(HasSubstr("first_slot=1 last_slot=12")));
}

// Near the clock, a block that names a missing one waits for it, and those above wait with it.
TEST_F(SyncServiceTest, BlocksThatWaitAreNoOtherBranch) {
  constexpr uint64_t kLast = 14;
  const OrphanedVote run(network_, kLast);
  FakePeers::Peer peer{.info = {}, .canonical = run.canonical, .others = {}};
  peers_.Add(1, peer);
  StartAt(kLast - 1);  // the block of slot 6 is not history, and the orphan that it names never comes
  ASSERT_TRUE(AwaitHead(run.source));
  for (const std::string& line : log_.Matching("sync_range_ended")) {
    EXPECT_THAT(line, HasSubstr("result=\"complete\""));
  }
  EXPECT_THAT(peers_.offenders(), IsEmpty());
}

TEST_F(SyncServiceTest, WhatIsKnownIsNotFetchedAgain) {
  const OrphanedVote run(network_, kLastSlot);
  constexpr size_t kKnown = 12;
  StartAt(kLastSlot + 8);
  service_.SubmitHistory({run.canonical.begin(), run.canonical.begin() + kKnown}, Origin::Local(),
                         [](const std::vector<SubmitOutcome>&) {});
  ASSERT_TRUE(Await([&] { return Has(run.canonical[kKnown - 1]); }));
  const uint64_t head = Head().slot;
  ASSERT_LT(service_.Read([](const LeanChain& chain) { return chain.finalized().slot; }), head);
  auto lowest = std::make_shared<std::atomic<uint64_t>>(kLastSlot);
  peers_.Add(1, {.info = {},
                 .canonical = run.canonical,
                 .others = {},
                 .change = [lowest](FakePeers::Blocks blocks) -> absl::StatusOr<FakePeers::Blocks> {
                   if (!blocks.empty()) *lowest = std::min(lowest->load(), blocks.front()->message.block.slot);
                   return blocks;
                 }});
  ASSERT_TRUE(AwaitHead(run.source));
  EXPECT_EQ(*lowest, head + 1);
  EXPECT_THAT(peers_.offenders(), IsEmpty());
}

// What the peers keep begins above what we have.
TEST_F(SyncServiceTest, WhereNobodyKeepsWhatIsNeededItSaysWhatToDo) {
  const OrphanedVote run(network_, kLastSlot);
  const FakePeers::Blocks kept(run.canonical.begin() + 10, run.canonical.end());
  FakePeers::Peer pruned{.info = {}, .canonical = kept, .others = {}};
  pruned.info.earliest_slot = kept.front()->message.block.slot;
  for (uint64_t id = 1; id <= 2; ++id) peers_.Add(id, pruned);
  StartAt(kLastSlot + 8, 2);
  ASSERT_TRUE(Await([&] { return board_.Get().message.find("--checkpoint") != std::string::npos; }));
  EXPECT_THAT(board_.Get().message, HasSubstr("24 slots behind fake"));
  EXPECT_THAT(board_.Get().message, HasSubstr("no peer has the blocks from slot 1 on, the oldest is of slot 12"));
  EXPECT_THAT(log_.Matching("sync_needs_checkpoint first_slot=1 kept_from=12"), SizeIs(1));
  EXPECT_THAT(log_.Matching("sync_range_begins"), IsEmpty());
  EXPECT_THAT(peers_.answered(), IsEmpty());
  // Somebody comes who has it.
  peers_.Add(3, {.info = {}, .canonical = run.canonical, .others = {}});
  ASSERT_TRUE(AwaitHead(run.source));
  EXPECT_TRUE(Await([&] { return board_.Get().message.find("--checkpoint") == std::string::npos; }));
  EXPECT_THAT(peers_.offenders(), IsEmpty());
}

TEST_F(SyncServiceTest, AClockThatOthersVotesDisproveEndsDutiesUntilItIsSet) {
  StartAt(10, 0);
  ASSERT_TRUE(Await([&] { return board_.Get().synced; }));
  std::vector<SignedVotePtr> votes;
  for (uint64_t validator = 0; validator < 3; ++validator) {
    votes.push_back(network_.Vote(validator, network_.DataAt(10)));
  }
  service_.SubmitVotes(votes, Origin::Peer(1), [](const std::vector<SubmitOutcome>&) {});
  ASSERT_TRUE(Await([&] { return service_.clock_status().verdict.heard == 3; }));
  EXPECT_TRUE(board_.Get().synced);
  const int64_t right = clock_.WallMs();
  clock_.SetWallMs(right + int64_t{1000} * TestNetwork::kSlotMs);
  ASSERT_TRUE(Await([&] { return !board_.Get().synced; }));
  EXPECT_THAT(board_.Get().message, HasSubstr("sign for other slots"));
  EXPECT_THAT(log_.Matching("error clock_wrong heard=3 off=3 slots_off=-1000"), SizeIs(1));
  ASSERT_TRUE(Await([&] { return service_.Read([](const LeanChain& chain) { return chain.current_slot(); }) > 1000; }))
      << "the chain goes by the clock";
  clock_.SetWallMs(right);
  ASSERT_TRUE(Await([&] { return board_.Get().synced; }));
  EXPECT_EQ(board_.Get().message, "synced");
  EXPECT_THAT(log_.Matching("clock_usable"), SizeIs(1));
  EXPECT_TRUE(Await([&] { return !log_.Matching("time_set_back").empty(); }));
}

}  // namespace
}  // namespace lean::beacon
