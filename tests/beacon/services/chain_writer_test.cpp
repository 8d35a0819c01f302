// What is imported, refused, logged, published and told to the observer.
#include "beacon/services/chain_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/bytes/bytes.h"
#include "tests/beacon/services/support/chain_source.h"
#include "tests/beacon/services/support/chain_writer_fixture.h"

namespace lean::beacon {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST_F(ChainWriterTest, AnAcceptedBlockIsTheHeadIsLoggedAndPublished) {
  GoTo(1);
  const SignedBlockPtr block = source_.AddBlock(1);
  const Root root = ChainSource::RootOf(block);
  const SubmitOutcome outcome = Import(block);
  EXPECT_EQ(outcome.status, SubmitOutcome::kAccepted);
  EXPECT_EQ(outcome.reason, "");
  EXPECT_EQ(outcome.root, root);
  EXPECT_EQ(chain_.head().root, root);
  EXPECT_THAT(PublishedBlocks(), ElementsAre(root));
  EXPECT_EQ(seen_votes_.Count(1), 1u);
  const std::string short_root = ShortHex(root.span());
  EXPECT_THAT(log_.lines(), ElementsAre(absl::StrCat("info block_accepted slot=1 root=", short_root,
                                                     " proposer=1 votes=0 import_ms=0 origin=local"),
                                        absl::StrCat("info head slot=1 root=", short_root)));
}

TEST_F(ChainWriterTest, AKnownBlockIsSaidToBeAndNotPublishedAgain) {
  GoTo(1);
  const SignedBlockPtr block = source_.AddBlock(1);
  Import(block);
  PublishedBlocks();
  EXPECT_EQ(Import(block, Origin::Peer(1)).status, SubmitOutcome::kAlreadyKnown);
  EXPECT_THAT(PublishedBlocks(), IsEmpty());
}

TEST_F(ChainWriterTest, ABlockThatBreaksTheRulesIsRefused) {
  GoTo(1);
  auto block = std::make_shared<SignedBlockWithAttestation>(*source_.AddBlock(1));
  block->message.block.state_root.data[0] ^= 1;
  block->message.proposer_attestation.data.head.root = ssz::HashTreeRoot(block->message.block);
  const SubmitOutcome outcome = Import(block);
  EXPECT_EQ(outcome.status, SubmitOutcome::kRefused);
  EXPECT_EQ(outcome.reason, reason::kInvalidTransition);
  EXPECT_THAT(outcome.message, HasSubstr("state root"));
  EXPECT_THAT(PublishedBlocks(), IsEmpty());
  EXPECT_THAT(log_.Matching("block_refused"), ElementsAre(HasSubstr("warning block_refused slot=1")));
}

TEST_F(ChainWriterTest, AVoteThatBreaksTheRulesIsRefusedAndTheOthersOfItsBatchAreNot) {
  GoTo(2);
  Import(source_.AddBlock(2));
  auto bad = std::make_shared<SignedAttestation>(*source_.Vote(1, 2));
  bad->message.data.target.slot = 1;  // not its block's
  const std::vector<SubmitOutcome> outcomes = Import({source_.Vote(0, 2), bad, source_.Vote(3, 2)}, Origin::Peer(1));
  ASSERT_THAT(outcomes, SizeIs(3));
  EXPECT_EQ(outcomes[0].status, SubmitOutcome::kAccepted);
  EXPECT_EQ(outcomes[1].status, SubmitOutcome::kRefused);
  EXPECT_EQ(outcomes[1].reason, reason::kInvalidVote);
  EXPECT_EQ(outcomes[2].status, SubmitOutcome::kAccepted);
  EXPECT_THAT(log_.Matching("votes_accepted"),
              ElementsAre("debug votes_accepted accepted=2 submitted=3 origin=peer-1"));
  EXPECT_THAT(log_.Matching("vote_refused"), ElementsAre(HasSubstr("debug vote_refused slot=2 validator=1")));
  EXPECT_THAT(PublishedBlocks(), SizeIs(1));
  EXPECT_EQ(published_votes_, 2u);
}

TEST_F(ChainWriterTest, AReorgIsLoggedWithItsDepth) {
  ChainSource fork(genesis_);
  GoTo(1);
  const SignedBlockPtr left_out = source_.AddBlock(1);
  Import(left_out);
  GoTo(2);
  const SignedBlockPtr also_left_out = source_.AddBlock(2);
  Import(also_left_out);
  EXPECT_EQ(chain_.head().root, ChainSource::RootOf(also_left_out));
  GoTo(3);
  const SignedBlockPtr other = fork.AddBlock(3);
  Import(other);
  GoTo(3, 1);
  Import({fork.Vote(0, 3), fork.Vote(1, 3), fork.Vote(2, 3)});
  GoTo(3, 3);
  EXPECT_EQ(chain_.head().root, ChainSource::RootOf(other));
  EXPECT_THAT(log_.Matching("reorg"), ElementsAre(HasSubstr("warning reorg depth=2 old_slot=2")));
}

TEST_F(ChainWriterTest, JustificationAndFinalityAreLogged) {
  ASSERT_NO_FATAL_FAILURE(ImportFullSlots(6));
  EXPECT_GT(chain_.finalized().slot, 0u);
  EXPECT_THAT(log_.Matching("info finalized slot="), testing::Not(IsEmpty()));
  EXPECT_THAT(log_.Matching("info justified slot="), testing::Not(IsEmpty()));
  EXPECT_EQ(seen_votes_.Count(5), kValidators);
}

// What an observer is told, as text.
class RecordingObserver : public ChainObserver {
 public:
  void BlockImported(const Root& root, const SignedBlockPtr& block, const StatePtr& post_state,
                     const VoteMap& /*known_votes*/) override {
    EXPECT_EQ(ssz::HashTreeRoot(*post_state), block->message.block.state_root);
    EXPECT_EQ(ssz::HashTreeRoot(block->message.block), root);
    told.push_back(absl::StrCat("block ", block->message.block.slot));
  }
  void VoteAccepted(const SignedVotePtr& vote) override {
    told.push_back(absl::StrCat("vote ", vote->message.validator_id));
  }
  void CheckpointsChanged(const ChainCheckpoints& checkpoints) override {
    told.push_back(absl::StrCat("head ", checkpoints.head.slot));
  }
  absl::Status CanAccept() const override { return absl::OkStatus(); }

  std::vector<std::string> told;
};

class ObservedWriterTest : public ChainWriterTest {
 protected:
  ObservedWriterTest() : ChainWriterTest(1000, {}, &observer_) {}

  RecordingObserver observer_;
};

TEST_F(ObservedWriterTest, TheObserverIsToldInOrderWhatIsNewAndNothingTwice) {
  GoTo(2);
  const SignedBlockPtr first = source_.AddBlock(1);
  const SignedBlockPtr second = source_.AddBlock(2);
  Import(second);
  EXPECT_THAT(observer_.told, IsEmpty());
  Import(first);
  Import(first);
  EXPECT_THAT(observer_.told, ElementsAre("block 1", "head 1", "block 2", "head 2"));
  observer_.told.clear();
  Import({source_.Vote(0, 2), source_.Vote(1, 2)});
  EXPECT_THAT(observer_.told, ElementsAre("vote 0", "vote 1"));
}

class FullOutboundTest : public ChainWriterTest {
 protected:
  FullOutboundTest() : ChainWriterTest(/*outbound_capacity=*/1) {}
};

TEST_F(FullOutboundTest, AFullNetworkChannelHoldsNothingUp) {
  GoTo(2);
  EXPECT_EQ(Import(source_.AddBlock(1)).status, SubmitOutcome::kAccepted);
  EXPECT_EQ(Import(source_.AddBlock(2)).status, SubmitOutcome::kAccepted);
  EXPECT_EQ(chain_.head().slot, 2u);
  EXPECT_THAT(log_.Matching("not_published"), SizeIs(1));
  EXPECT_EQ(writer_.events().counts()->blocks_unpublished, 1u);
  // What is lost is told in votes, not in batches.
  Import({source_.Vote(0, 2), source_.Vote(1, 2), source_.Vote(3, 2)}, Origin::Peer(5));
  EXPECT_THAT(log_.Matching("not_published blocks=0"), ElementsAre(HasSubstr("votes=3 origin=peer-5")));
  EXPECT_EQ(writer_.events().counts()->votes_unpublished, 3u);
}

}  // namespace
}  // namespace lean::beacon
