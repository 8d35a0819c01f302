#include "beacon/services/chain_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/bytes/hex.h"
#include "common/clock/manual_clock.h"
#include "tests/beacon/services/chain_source.h"
#include "tests/common/process/captured_log.h"

namespace lean::beacon {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr uint64_t kGenesisTime = 1'700'000'000;
constexpr int64_t kGenesisMs = kGenesisTime * 1000;
constexpr int64_t kSlotMs = 400;

class ChainWriterTest : public testing::Test {
 protected:
  static constexpr uint64_t kValidators = 4;

  explicit ChainWriterTest(size_t outbound_capacity = 1000, const ChainWriterOptions& options = {},
                           ChainObserver* observer = nullptr,
                           std::function<void(const WantedState&)> want_state = nullptr)
      : outbound_(outbound_capacity),
        writer_({.chain = chain_,
                 .mutex = mutex_,
                 .seen_votes = seen_votes_,
                 .outbound = outbound_,
                 .clock = clock_,
                 .slot_clock = SlotClock(kGenesisTime, kSlotMs),
                 .log = log_.logger(),
                 .observer = observer,
                 .want_state = std::move(want_state)},
                options) {}

  void GoTo(uint64_t slot, uint64_t interval = 0) {
    const int64_t target = kGenesisMs + static_cast<int64_t>(slot) * kSlotMs + static_cast<int64_t>(interval) * 100;
    clock_.Advance(milliseconds(target - clock_.WallMs()));
    writer_.CatchUp();
  }

  SubmitOutcome Import(const SignedBlockPtr& block, const Origin& origin = Origin::Local()) {
    return writer_.ImportBlock(block, ChainSource::RootOf(block), origin);
  }
  std::vector<SubmitOutcome> Import(const std::vector<SignedVotePtr>& votes, const Origin& origin = Origin::Local()) {
    std::vector<Root> roots;
    for (const SignedVotePtr& vote : votes) roots.push_back(ChainSource::RootOf(vote));
    return writer_.ImportVotes(votes, roots, origin);
  }

  // Roots of the blocks that were published, in order, and the number of votes.
  std::vector<Root> PublishedBlocks() {
    std::vector<Root> roots;
    while (outbound_.size() > 0) {
      const OutboundItem item = *outbound_.Pop();
      if (item.block != nullptr) roots.push_back(ChainSource::RootOf(item.block));
      published_votes_ += item.votes.size();
    }
    return roots;
  }

  const Genesis genesis_ = ChainSource::TestGenesis(kValidators, kGenesisTime);
  ChainSource source_{genesis_};
  LeanChain chain_ = LeanChain::FromAnchor(genesis_.state, genesis_.block).value();
  SharedMutex mutex_;
  SeenVotes seen_votes_{kValidators};
  ManualClock clock_{kGenesisMs};
  CapturedLog log_;
  OutboundChannel outbound_;
  ChainWriter writer_;
  size_t published_votes_ = 0;
};

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

TEST_F(ChainWriterTest, BeforeGenesisSlotsAreNegativeAndTimeStandsStill) {
  clock_.SetWallMs(kGenesisMs - 2 * kSlotMs);
  writer_.CatchUp();
  EXPECT_EQ(writer_.CurrentSlot(), -2);
  EXPECT_EQ(chain_.time_intervals(), 0u);
  GoTo(0, 3);
  EXPECT_EQ(writer_.CurrentSlot(), 0);
  EXPECT_EQ(chain_.time_intervals(), 3u);
}

TEST_F(ChainWriterTest, AWallClockSetBackALittleDoesNotTurnTheChainBack) {
  GoTo(10, 2);
  clock_.SetWallMs(kGenesisMs + 9 * kSlotMs + 200);
  writer_.CatchUp();
  EXPECT_EQ(chain_.time_intervals(), 42u);
  EXPECT_EQ(writer_.CurrentSlot(), 10);
  GoTo(10, 3);
  EXPECT_EQ(chain_.time_intervals(), 43u);
  EXPECT_THAT(log_.Matching("time_set_back"), IsEmpty());
}

// A clock that was ahead: what came meanwhile is as if it had come now, and the chain goes on where it would be.
TEST_F(ChainWriterTest, AClockThatWasAheadAndIsSetBackTurnsTheChainBack) {
  GoTo(10, 2);
  const SignedBlockPtr block = source_.AddBlock(10);
  Import(block);
  source_.AddBlock(11);
  const SignedBlockPtr orphaned = source_.AddBlock(12);
  clock_.SetWallMs(kGenesisMs + 5000 * kSlotMs);
  writer_.CatchUp();
  EXPECT_EQ(writer_.CurrentSlot(), 5000);
  Import(orphaned);  // waits for its parent
  ASSERT_EQ(writer_.waiting_blocks(), 1u);
  ChainSource ahead(genesis_);
  ahead.chain().OnInterval(5000 * kChainIntervalsPerSlot, /*has_proposal=*/false);
  ASSERT_EQ(Import({ahead.Vote(0, 5000), ahead.Vote(1, 5000)})[0].status, SubmitOutcome::kAccepted);
  EXPECT_EQ(seen_votes_.Count(5000), 2u);

  clock_.SetWallMs(kGenesisMs + 11 * kSlotMs + 100);
  EXPECT_EQ(writer_.CurrentSlot(), 12) << "even before the next tick";
  writer_.CatchUp();
  EXPECT_EQ(chain_.time_intervals(), 45u);
  EXPECT_EQ(writer_.CurrentSlot(), 11);
  EXPECT_TRUE(chain_.pending_votes().empty()) << "nobody will vote for that slot for long";
  EXPECT_THAT(log_.Matching("time_set_back"), ElementsAre(HasSubstr("from_slot=5000 to_slot=11")));
  // Live items are taken as before, and what waits expires in its time.
  EXPECT_EQ(Import({source_.Vote(0, 11)}, Origin::Peer(1))[0].status, SubmitOutcome::kQueued);
  ChainSource other(genesis_);
  other.chain().OnInterval(11 * kChainIntervalsPerSlot, /*has_proposal=*/false);
  EXPECT_EQ(Import({other.Vote(2, 11)}, Origin::Peer(1))[0].status, SubmitOutcome::kAccepted);
  EXPECT_EQ(seen_votes_.Count(11), 1u);
  GoTo(11, 3);
  EXPECT_NE(chain_.known_votes().Find(2), nullptr) << "the slot's intervals do their work again";
  GoTo(20);
  EXPECT_EQ(writer_.waiting_blocks(), 0u);
}

TEST_F(ChainWriterTest, VotesOfSlotsThatAreInTheFutureAgainWeighNothing) {
  GoTo(2);
  ChainSource fork(genesis_);
  const SignedBlockPtr ours = source_.AddBlock(1);
  const SignedBlockPtr other = fork.AddBlock(2);
  Import(ours);
  Import(other);
  ASSERT_EQ(Import({source_.Vote(1, 2)})[0].status, SubmitOutcome::kAccepted);
  GoTo(2, 3);
  ASSERT_EQ(chain_.head().root, ChainSource::RootOf(ours));
  GoTo(5000);
  fork.chain().OnInterval(5000 * kChainIntervalsPerSlot, /*has_proposal=*/false);
  Import({fork.Vote(0, 5000), fork.Vote(3, 5000)});
  GoTo(5000, 3);
  ASSERT_EQ(chain_.head().root, ChainSource::RootOf(other));
  clock_.SetWallMs(kGenesisMs + 3 * kSlotMs);
  writer_.CatchUp();
  EXPECT_EQ(chain_.head().root, ChainSource::RootOf(ours));
  EXPECT_EQ(chain_.known_votes().Find(0), nullptr);
  EXPECT_NE(chain_.known_votes().Find(1), nullptr);
}

TEST_F(ChainWriterTest, TheChainIsNotSetBackBehindTheFinalizedBlock) {
  for (uint64_t slot = 1; slot <= 6; ++slot) {
    GoTo(slot);
    Import(source_.AddBlock(slot));
    for (uint64_t validator = 0; validator < kValidators; ++validator) {
      if (validator == slot % kValidators) continue;
      const SignedVotePtr vote = source_.Vote(validator, slot);
      Import({vote});
      ASSERT_TRUE(source_.chain().OnVote(vote).ok());
    }
    GoTo(slot, 3);
    source_.chain().OnInterval(slot * 4 + 3, false);
  }
  const uint64_t finalized = chain_.finalized().slot;
  ASSERT_GT(finalized, 1u);
  clock_.SetWallMs(kGenesisMs - 1);
  writer_.CatchUp();
  EXPECT_EQ(chain_.current_slot(), finalized);
  EXPECT_EQ(writer_.CurrentSlot(), static_cast<int64_t>(finalized));
  writer_.CatchUp();
  EXPECT_THAT(log_.Matching("time_set_back"), SizeIs(1));
}

TEST_F(ChainWriterTest, AfterALongSleepTheChainTicksThrough) {
  GoTo(1);
  Import(source_.AddBlock(1));
  Import({source_.Vote(0, 1), source_.Vote(2, 1), source_.Vote(3, 1)});
  EXPECT_FALSE(chain_.pending_votes().empty());
  GoTo(5000, 1);
  EXPECT_EQ(chain_.time_intervals(), 20'001u);
  EXPECT_TRUE(chain_.pending_votes().empty());
  EXPECT_THAT(log_.Matching("time_jumped"), ElementsAre("warning time_jumped from_slot=1 to_slot=5000"));
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
  for (uint64_t slot = 1; slot <= 6; ++slot) {
    GoTo(slot);
    Import(source_.AddBlock(slot));
    for (uint64_t validator = 0; validator < kValidators; ++validator) {
      if (validator == slot % kValidators) continue;
      const SignedVotePtr vote = source_.Vote(validator, slot);
      Import({vote});
      ASSERT_TRUE(source_.chain().OnVote(vote).ok());
    }
    GoTo(slot, 3);
    source_.chain().OnInterval(slot * 4 + 3, false);
  }
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

// Memory holds next to nothing, and nothing is finalized.
class LittleMemoryTest : public ChainWriterTest {
 protected:
  static constexpr size_t kHeld = 4;

  LittleMemoryTest()
      : ChainWriterTest(1000, {.waiting = {}, .prune = {.states = kHeld, .blocks = kHeld}}, nullptr,
                        [this](const WantedState& wanted) { wanted_.push_back(wanted.root); }) {}

  // So many blocks, each by one of the first two validators: too few votes to finalize anything. Then it is slot 80.
  void Fill(size_t blocks) {
    for (uint64_t slot = 4; blocks_.size() < blocks; ++slot) {
      if (slot % kValidators >= 2) continue;
      GoTo(slot);
      blocks_.push_back(source_.AddBlock(slot));
      ASSERT_EQ(Import(blocks_.back()).status, SubmitOutcome::kAccepted);
    }
    GoTo(80);
  }
  // A chain that has the first `blocks` of these.
  ChainSource Fork(size_t blocks) {
    ChainSource fork(genesis_);
    fork.chain().OnInterval(80 * kChainIntervalsPerSlot, /*has_proposal=*/false);
    for (size_t i = 0; i < blocks; ++i) EXPECT_TRUE(fork.chain().OnBlock(blocks_[i]).ok());
    return fork;
  }
  // The state after a block.
  StatePtr StateAfter(size_t block) { return source_.chain().StateOf(ChainSource::RootOf(blocks_[block])); }

  std::vector<SignedBlockPtr> blocks_;
  std::vector<Root> wanted_;
};

TEST_F(LittleMemoryTest, BlocksAndStatesAreLetGoOfWithoutFinality) {
  Fill(30);
  EXPECT_EQ(chain_.finalized().slot, 0u);
  EXPECT_LE(chain_.held_states(), kHeld + 1) << "the finalized one stays";
  EXPECT_LE(chain_.held_blocks(), kHeld + 1) << "the anchor's stays";
  EXPECT_EQ(chain_.head().root, ChainSource::RootOf(blocks_.back()));
  EXPECT_TRUE(chain_.HasBlock(ChainSource::RootOf(blocks_[3])));
}

TEST_F(LittleMemoryTest, ABlockOnAStateThatIsGoneWaitsForItAndOthersFollow) {
  Fill(20);
  ChainSource fork = Fork(5);
  const SignedBlockPtr first = fork.AddBlock(79);
  const SignedBlockPtr second = fork.AddBlock(80);
  const Root parent = ChainSource::RootOf(blocks_[4]);
  const SubmitOutcome outcome = Import(first, Origin::Peer(1));
  EXPECT_EQ(outcome.status, SubmitOutcome::kQueued);
  EXPECT_EQ(outcome.reason, reason::kNeedsState);
  EXPECT_EQ(Import(second, Origin::Peer(1)).status, SubmitOutcome::kQueued);
  EXPECT_THAT(wanted_, ElementsAre(parent));
  EXPECT_EQ(writer_.waiting_blocks(), 2u);

  writer_.AddState(parent, StateAfter(4));
  EXPECT_EQ(writer_.waiting_blocks(), 0u);
  EXPECT_TRUE(chain_.HasBlock(ChainSource::RootOf(second)));
  EXPECT_LE(chain_.held_states(), kHeld + 1);
}

TEST_F(LittleMemoryTest, ABlockWhoseStateCannotBeHadIsDropped) {
  Fill(20);
  ChainSource fork = Fork(1);
  const SignedBlockPtr block = fork.AddBlock(80);
  EXPECT_EQ(Import(block, Origin::Peer(1)).reason, reason::kNeedsState);
  writer_.AddState(ChainSource::RootOf(blocks_[0]), absl::NotFoundError("gone"));
  EXPECT_EQ(writer_.waiting_blocks(), 0u);
  EXPECT_THAT(log_.Matching("block_dropped slot=80"), ElementsAre(HasSubstr("reason=NO_STATE")));
}

TEST_F(LittleMemoryTest, ABlockWhoseStateDoesNotComeExpires) {
  Fill(20);
  ChainSource fork = Fork(1);
  Import(fork.AddBlock(80), Origin::Peer(1));
  GoTo(80 + DependencyLimits().expiry_slots);
  EXPECT_EQ(writer_.waiting_blocks(), 0u);
  EXPECT_THAT(log_.Matching("block_dropped slot=80"), ElementsAre(HasSubstr("reason=EXPIRED")));
}

// What is wrong with it is found out before anybody computes a state for it.
TEST_F(LittleMemoryTest, ABlockThatIsWrongByItselfWantsNoState) {
  Fill(20);
  ChainSource fork = Fork(1);
  SignedBlockWithAttestation block = *fork.AddBlock(80);
  ++block.message.block.proposer_index;
  EXPECT_EQ(Import(std::make_shared<const SignedBlockWithAttestation>(block)).status, SubmitOutcome::kRefused);
  EXPECT_THAT(wanted_, IsEmpty());
}

class NoSourceTest : public ChainWriterTest {
 protected:
  NoSourceTest() : ChainWriterTest(1000, {.waiting = {}, .prune = {.states = 4}}) {}
};

TEST_F(NoSourceTest, WithoutADiskABlockOnAStateThatIsGoneIsTooOld) {
  std::vector<SignedBlockPtr> blocks;
  for (uint64_t slot = 4; slot <= 40; slot += kValidators) {  // by one validator
    GoTo(slot);
    blocks.push_back(source_.AddBlock(slot));
    Import(blocks.back());
  }
  GoTo(41);
  ChainSource fork(genesis_);
  fork.chain().OnInterval(41 * kChainIntervalsPerSlot, /*has_proposal=*/false);
  ASSERT_TRUE(fork.chain().OnBlock(blocks[0]).ok());
  const SubmitOutcome outcome = Import(fork.AddBlock(41));
  EXPECT_EQ(outcome.status, SubmitOutcome::kRefused);
  EXPECT_EQ(outcome.reason, reason::kStale);
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

// In an old block a vote may name any slot, for nothing of the transition reads it.
TEST_F(ChainWriterTest, VotesForSlotsFarAheadInAnOldBlockDoNotHideWhatIsSeenLater) {
  constexpr uint64_t kFar = 1'000'000;
  GoTo(20);
  ChainSource liar(genesis_);
  liar.AddBlock(1);
  liar.chain().OnInterval((kFar + 100) * kChainIntervalsPerSlot, /*has_proposal=*/false);
  for (uint64_t validator = 0; validator < kValidators; ++validator) {
    ASSERT_TRUE(liar.chain().OnVote(liar.Vote(validator, kFar + validator)).ok());
  }
  const SignedBlockPtr block = liar.AddBlock(2);
  ASSERT_THAT(block->message.block.body.attestations, SizeIs(kValidators));
  Import(liar.chain().SignedBlockOf(block->message.block.parent_root));
  ASSERT_EQ(Import(block).status, SubmitOutcome::kAccepted);
  EXPECT_THAT(seen_votes_.Latest({0, 2, 3}), ElementsAre(std::nullopt, 2, std::nullopt))
      << "but for the proposer's own";
  EXPECT_EQ(seen_votes_.Count(kFar), 0u);
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
