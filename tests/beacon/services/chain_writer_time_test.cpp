// The chain's time and the clock.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "beacon/services/chain_writer.h"
#include "tests/beacon/services/support/chain_source.h"
#include "tests/beacon/services/support/chain_writer_fixture.h"

namespace lean::beacon {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

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
  ahead.chain().OnInterval(5000 * kChainIntervalsPerSlot);
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
  other.chain().OnInterval(11 * kChainIntervalsPerSlot);
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
  fork.chain().OnInterval(5000 * kChainIntervalsPerSlot);
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
  ASSERT_NO_FATAL_FAILURE(ImportFullSlots(6));
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

// In an old block a vote may name any slot, for nothing of the transition reads it.
TEST_F(ChainWriterTest, VotesForSlotsFarAheadInAnOldBlockDoNotHideWhatIsSeenLater) {
  constexpr uint64_t kFar = 1'000'000;
  GoTo(20);
  ChainSource liar(genesis_);
  liar.AddBlock(1);
  liar.chain().OnInterval((kFar + 100) * kChainIntervalsPerSlot);
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

}  // namespace
}  // namespace lean::beacon
