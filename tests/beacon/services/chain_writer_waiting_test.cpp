// Items that wait in the dependency queue.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "beacon/services/chain_writer.h"
#include "tests/beacon/services/support/chain_source.h"
#include "tests/beacon/services/support/chain_writer_fixture.h"

namespace lean::beacon {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

TEST_F(ChainWriterTest, BlocksWaitForTheirParentAndFollowItInOrder) {
  GoTo(3);
  std::vector<SignedBlockPtr> blocks;
  for (uint64_t slot = 1; slot <= 3; ++slot) blocks.push_back(source_.AddBlock(slot));
  for (int i : {2, 1}) {
    const SubmitOutcome outcome = Import(blocks[i], Origin::Peer(7));
    EXPECT_EQ(outcome.status, SubmitOutcome::kQueued);
    EXPECT_EQ(outcome.reason, reason::kUnknownParent);
    EXPECT_EQ(outcome.root, ChainSource::RootOf(blocks[i]));
  }
  EXPECT_EQ(writer_.waiting_blocks(), 2u);
  EXPECT_THAT(log_.Matching("block_queued slot=3"), ElementsAre(HasSubstr("origin=peer-7 reason=UNKNOWN_PARENT")));
  EXPECT_EQ(Import(blocks[0]).status, SubmitOutcome::kAccepted);
  EXPECT_EQ(writer_.waiting_blocks(), 0u);
  EXPECT_EQ(chain_.head().root, ChainSource::RootOf(blocks[2]));
  EXPECT_THAT(PublishedBlocks(), ElementsAre(ChainSource::RootOf(blocks[0]), ChainSource::RootOf(blocks[1]),
                                             ChainSource::RootOf(blocks[2])));
  EXPECT_THAT(log_.Matching("block_accepted slot=3"), ElementsAre(HasSubstr("origin=peer-7")));
}

TEST_F(ChainWriterTest, ALongChainOfWaitingBlocksResolves) {
  constexpr uint64_t kLength = 300;
  GoTo(kLength);
  std::vector<SignedBlockPtr> blocks;
  for (uint64_t slot = 1; slot <= kLength; ++slot) blocks.push_back(source_.AddBlock(slot));
  for (uint64_t i = kLength - 1; i > 0; --i) ASSERT_EQ(Import(blocks[i]).status, SubmitOutcome::kQueued);
  EXPECT_EQ(Import(blocks[0]).status, SubmitOutcome::kAccepted);
  EXPECT_EQ(chain_.head().slot, kLength);
  EXPECT_EQ(writer_.waiting_blocks(), 0u);
}

TEST_F(ChainWriterTest, AVoteWaitsForTheBlockItNames) {
  GoTo(1, 1);
  const SignedBlockPtr block = source_.AddBlock(1);
  const SignedVotePtr vote = source_.Vote(3, 1);
  const std::vector<SubmitOutcome> outcomes = Import({vote});
  ASSERT_THAT(outcomes, SizeIs(1));
  EXPECT_EQ(outcomes[0].status, SubmitOutcome::kQueued);
  EXPECT_EQ(outcomes[0].reason, reason::kUnknownBlock);
  EXPECT_EQ(outcomes[0].root, ChainSource::RootOf(vote));
  EXPECT_EQ(writer_.waiting_votes(), 1u);
  EXPECT_EQ(seen_votes_.Count(1), 0u);
  Import(block);
  EXPECT_EQ(writer_.waiting_votes(), 0u);
  EXPECT_EQ(chain_.LatestVoteSlot(3), 1u);
  EXPECT_EQ(seen_votes_.Count(1), 2u);
  EXPECT_THAT(PublishedBlocks(), SizeIs(1));
  EXPECT_EQ(published_votes_, 1u);
}

TEST_F(ChainWriterTest, ItemsOneSlotEarlyWaitForTheirSlot) {
  GoTo(4, 3);
  const SignedBlockPtr block = source_.AddBlock(5);
  const SubmitOutcome outcome = Import(block);
  EXPECT_EQ(outcome.status, SubmitOutcome::kQueued);
  EXPECT_EQ(outcome.reason, reason::kEarly);
  const SignedVotePtr vote = source_.Vote(0, 5);
  EXPECT_EQ(Import({vote}).front().status, SubmitOutcome::kQueued);
  EXPECT_EQ(writer_.waiting_blocks(), 1u);
  GoTo(5);
  EXPECT_EQ(chain_.head().root, ChainSource::RootOf(block));
  EXPECT_EQ(chain_.LatestVoteSlot(0), 5u);
  EXPECT_EQ(writer_.waiting_blocks() + writer_.waiting_votes(), 0u);
}

TEST_F(ChainWriterTest, WhatWaitsTooLongIsDropped) {
  GoTo(2);
  source_.AddBlock(1);
  Import(source_.AddBlock(2));
  EXPECT_EQ(writer_.waiting_blocks(), 1u);
  GoTo(9, 3);
  EXPECT_EQ(writer_.waiting_blocks(), 1u);
  GoTo(10);
  EXPECT_EQ(writer_.waiting_blocks(), 0u);
  EXPECT_THAT(log_.Matching("block_dropped slot=2"), ElementsAre(HasSubstr("reason=EXPIRED")));
}

// Votes that waited for a late block leave in one item for each origin: the network's channel is bounded in items.
TEST_F(ChainWriterTest, VotesThatALateBlockReleasesArePublishedAndCountedTogether) {
  GoTo(2, 1);
  const SignedBlockPtr first = source_.AddBlock(1);
  const SignedBlockPtr late = source_.AddBlock(2);
  Import(first);
  ASSERT_EQ(outbound_.size(), 1u);
  Import({source_.Vote(0, 2), source_.Vote(1, 2)}, Origin::Peer(1));
  Import({source_.Vote(3, 2)}, Origin::Local());
  ASSERT_EQ(outbound_.size(), 1u);
  EXPECT_EQ(writer_.events().counts()->votes_accepted, 0u);
  Import(late, Origin::Peer(2));
  EXPECT_EQ(writer_.events().counts()->votes_accepted, 3u);
  EXPECT_EQ(outbound_.size(), 4u) << "two blocks, and votes of two origins";
  EXPECT_THAT(PublishedBlocks(), ElementsAre(ChainSource::RootOf(first), ChainSource::RootOf(late)));
  EXPECT_EQ(published_votes_, 3u);
  EXPECT_THAT(log_.Matching("votes_accepted accepted=2 submitted=2 origin=peer-1"), SizeIs(1));
}

class SmallQueueTest : public ChainWriterTest {
 protected:
  SmallQueueTest() : ChainWriterTest(1000, {.waiting = {.max_items = 2}, .prune = {}}) {}
};

TEST_F(SmallQueueTest, AFullQueueRefusesAndDisplaces) {
  GoTo(6);
  std::vector<SignedBlockPtr> blocks;
  for (uint64_t slot = 1; slot <= 5; ++slot) blocks.push_back(source_.AddBlock(slot));
  EXPECT_EQ(Import(blocks[1], Origin::Peer(1)).status, SubmitOutcome::kQueued);
  EXPECT_EQ(Import(blocks[2], Origin::Peer(1)).status, SubmitOutcome::kQueued);
  const SubmitOutcome refused = Import(blocks[3], Origin::Peer(1));
  EXPECT_EQ(refused.status, SubmitOutcome::kRefused);
  EXPECT_EQ(refused.reason, reason::kQueueFull);
  EXPECT_EQ(Import(blocks[4], Origin::Peer(2)).status, SubmitOutcome::kQueued);
  EXPECT_THAT(log_.Matching("block_dropped slot=3"), ElementsAre(HasSubstr("reason=DISPLACED")));
}

}  // namespace
}  // namespace lean::beacon
