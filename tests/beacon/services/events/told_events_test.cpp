// What those who watch are told of the chain.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "beacon/services/events/event_history.h"
#include "tests/beacon/services/support/chain_source.h"
#include "tests/beacon/services/support/chain_writer_fixture.h"

namespace lean::beacon {
namespace {

using testing::ElementsAre;

class ToldEventsTest : public ChainWriterTest {
 protected:
  std::vector<BeaconEvent> Told() {
    std::vector<BeaconEvent> told;
    for (const EventSlice& slice : reader_.Read(10'000).slices) told.push_back(*slice.event);
    return told;
  }
  std::vector<EventKind> KindsTold() {
    std::vector<EventKind> kinds;
    for (const BeaconEvent& event : Told()) kinds.push_back(KindOf(event));
    return kinds;
  }

  EventReader reader_{events_, EventKinds().set(), std::nullopt};
};

TEST_F(ToldEventsTest, ABlockAndTheHeadItBecomes) {
  GoTo(1);
  const SignedBlockPtr block = source_.AddBlock(1);
  Import(block);
  Import(block);  // known already
  const std::vector<BeaconEvent> told = Told();
  ASSERT_EQ(told.size(), 2U);
  const auto& imported = std::get<BlockImported>(told[0]);
  EXPECT_EQ(imported.id, (Checkpoint{.root = ChainSource::RootOf(block), .slot = 1}));
  EXPECT_EQ(imported.parent_root, genesis_.block_root);
  EXPECT_EQ(imported.state_root, block->message.block.state_root);
  EXPECT_EQ(imported.proposer_index, 1U);
  EXPECT_EQ(imported.votes, 0U);
  const auto& head = std::get<HeadMoved>(told[1]).head;
  EXPECT_EQ(head.id, imported.id);
  EXPECT_EQ(head.state_root, imported.state_root);
}

TEST_F(ToldEventsTest, AcceptedVotesAreToldTogetherAndOthersAreNot) {
  GoTo(2);
  Import(source_.AddBlock(2));
  Told();
  auto bad = std::make_shared<SignedAttestation>(*source_.Vote(1, 2));
  bad->message.data.target.slot = 1;  // not its block's
  Import({source_.Vote(0, 2), bad, source_.Vote(3, 2)});
  const std::vector<BeaconEvent> told = Told();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_THAT(std::get<VotesAccepted>(told[0]).votes,
              ElementsAre(source_.Vote(0, 2)->message, source_.Vote(3, 2)->message));
  Import({bad});
  EXPECT_TRUE(Told().empty());
}

TEST_F(ToldEventsTest, VotesThatABlockBringsAreToldBySlotAndHead) {
  GoTo(1);
  const SignedBlockPtr first = source_.AddBlock(1);
  Import(first);
  // This chain hears of these votes from the next block alone.
  for (const uint64_t validator : {3, 0, 2}) {
    ASSERT_TRUE(source_.chain().OnVote(source_.Vote(validator, 1)).ok());
  }
  source_.chain().OnInterval(1 * 4 + 3);
  GoTo(2);
  const SignedBlockPtr second = source_.AddBlock(2);
  ASSERT_FALSE(second->message.block.body.attestations.empty());
  Told();
  Import(second);
  const std::vector<BeaconEvent> told = Told();
  ASSERT_GE(told.size(), 2U);
  const auto& votes = std::get<BlockVotesTold>(told[1]);
  EXPECT_EQ(votes.block, (Checkpoint{.root = ChainSource::RootOf(second), .slot = 2}));
  ASSERT_EQ(votes.votes.size(), 1U);
  EXPECT_EQ(votes.votes[0].slot, 1U);
  EXPECT_EQ(votes.votes[0].head, (Checkpoint{.root = ChainSource::RootOf(first), .slot = 1}));
  std::vector<uint64_t> in_block;
  for (const Attestation& vote : second->message.block.body.attestations) in_block.push_back(vote.validator_id);
  EXPECT_THAT(votes.votes[0].validators, testing::UnorderedElementsAreArray(in_block));
  EXPECT_TRUE(std::is_sorted(votes.votes[0].validators.begin(), votes.votes[0].validators.end()));
}

TEST(VoteGroupsTest, AreOrderedAndNameEachValidatorOnce) {
  std::vector<Attestation> votes(5);
  const auto vote = [&votes](size_t place, uint64_t validator, uint64_t slot, uint64_t head) {
    votes[place].validator_id = validator;
    votes[place].data.slot = slot;
    votes[place].data.head = {.root = RootOf(head), .slot = slot - 1};
  };
  vote(0, 9, 5, 2);
  vote(1, 4, 5, 1);
  vote(2, 3, 5, 2);
  vote(3, 3, 5, 2);
  vote(4, 1, 4, 7);
  std::vector<const Attestation*> pointers;
  for (const Attestation& one : votes) pointers.push_back(&one);
  const std::vector<VoteGroup> groups = GroupByHead(pointers);
  ASSERT_EQ(groups.size(), 3U);
  EXPECT_EQ(groups[0].slot, 4U);
  EXPECT_THAT(groups[0].validators, ElementsAre(1));
  EXPECT_EQ(groups[1].head.root, RootOf(1));
  EXPECT_THAT(groups[1].validators, ElementsAre(4));
  EXPECT_EQ(groups[2].head, (Checkpoint{.root = RootOf(2), .slot = 4}));
  EXPECT_THAT(groups[2].validators, ElementsAre(3, 9));
  EXPECT_TRUE(GroupByHead({}).empty());
}

TEST_F(ToldEventsTest, VotesThatWaitedAreToldWhenTheirBlockHasCome) {
  GoTo(1);
  const SignedBlockPtr block = source_.AddBlock(1);
  Import({source_.Vote(0, 1)});
  EXPECT_TRUE(Told().empty());
  Import(block);
  EXPECT_THAT(KindsTold(), ElementsAre(EventKind::kBlock, EventKind::kHead, EventKind::kVote));
}

TEST_F(ToldEventsTest, AReorgAndItsDepth) {
  ChainSource fork(genesis_);
  GoTo(1);
  Import(source_.AddBlock(1));
  GoTo(2);
  const SignedBlockPtr left = source_.AddBlock(2);
  Import(left);
  GoTo(3);
  const SignedBlockPtr other = fork.AddBlock(3);
  Import(other);
  GoTo(3, 1);
  Import({fork.Vote(0, 3), fork.Vote(1, 3), fork.Vote(2, 3)});
  Told();
  GoTo(3, 3);
  const std::vector<BeaconEvent> told = Told();
  ASSERT_EQ(told.size(), 3U);
  const auto& reorg = std::get<Reorganized>(told[0]);
  EXPECT_EQ(reorg.depth, 2U);
  EXPECT_EQ(reorg.old_head.id.root, ChainSource::RootOf(left));
  EXPECT_EQ(reorg.old_head.state_root, left->message.block.state_root);
  EXPECT_EQ(reorg.new_head.id.root, ChainSource::RootOf(other));
  EXPECT_EQ(KindOf(told[1]), EventKind::kHead);
  EXPECT_EQ(std::get<SafeTargetMoved>(told[2]).safe_target.id.root, ChainSource::RootOf(other));
}

TEST_F(ToldEventsTest, JustifiedAndFinalizedBlocks) {
  ImportFullSlots(8);
  std::vector<Checkpoint> justified;
  std::vector<Checkpoint> finalized;
  for (const BeaconEvent& event : Told()) {
    if (const auto* moved = std::get_if<JustifiedMoved>(&event)) {
      justified.push_back(moved->justified.id);
      EXPECT_EQ(moved->justified.state_root, chain_.BlockOf(moved->justified.id.root)->state_root);
    }
    if (const auto* moved = std::get_if<FinalizedMoved>(&event)) finalized.push_back(moved->finalized.id);
  }
  ASSERT_FALSE(finalized.empty());
  EXPECT_EQ(justified.back(), chain_.justified());
  EXPECT_EQ(finalized.back(), chain_.finalized());
}

}  // namespace
}  // namespace lean::beacon
