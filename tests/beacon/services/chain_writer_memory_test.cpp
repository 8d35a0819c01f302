// Blocks and states that are no longer in memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "beacon/services/chain_writer.h"
#include "tests/beacon/services/support/chain_source.h"
#include "tests/beacon/services/support/chain_writer_fixture.h"

namespace lean::beacon {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

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
    fork.chain().OnInterval(80 * kChainIntervalsPerSlot);
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
  fork.chain().OnInterval(41 * kChainIntervalsPerSlot);
  ASSERT_TRUE(fork.chain().OnBlock(blocks[0]).ok());
  const SubmitOutcome outcome = Import(fork.AddBlock(41));
  EXPECT_EQ(outcome.status, SubmitOutcome::kRefused);
  EXPECT_EQ(outcome.reason, reason::kStale);
}

}  // namespace
}  // namespace lean::beacon
