#include "beacon/chain/lean_chain.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "beacon/chain/state_transition.h"
#include "gtest/gtest.h"
#include "rapidcheck.h"
#include "tests/beacon/chain/chain_testing.h"

namespace lean::beacon {
namespace {

TEST(LeanChain, FinalizesSlotAfterSlot) {
  LeanChain chain = MakeChain(4);
  for (uint64_t slot = 1; slot <= 20; ++slot) RunSlot(chain, slot);
  EXPECT_EQ(chain.head().slot, 20u);
  EXPECT_EQ(chain.justified().slot, 18u);
  EXPECT_EQ(chain.finalized().slot, 17u);
}

TEST(LeanChain, RefusesAnAnchorThatDoesNotFit) {
  const StatePtr state = MakeGenesisState(4);
  const auto from_anchor = [&state](const auto& change) {
    Block block;
    State changed = *state;
    change(block, changed);
    if (block.state_root.IsZero()) block.state_root = ssz::HashTreeRoot(changed);
    return LeanChain::FromAnchor(std::make_shared<const State>(changed), std::make_shared<const Block>(block)).status();
  };
  EXPECT_TRUE(from_anchor([](Block&, State&) {}).ok());
  EXPECT_EQ(KindOf(from_anchor([](Block& block, State&) { block.state_root.data[0] = 1; })), ChainErrorKind::kInvalid);
  EXPECT_EQ(KindOf(from_anchor([](Block& block, State&) { block.slot = 3; })), ChainErrorKind::kInvalid);
  EXPECT_EQ(KindOf(from_anchor([](Block& block, State&) { block.slot = UINT64_MAX; })), ChainErrorKind::kInvalid);
}

TEST(LeanChain, TellsMissingFromInvalidFromFuture) {
  LeanChain chain = MakeChain(4);
  for (uint64_t slot = 1; slot <= 5; ++slot) RunSlot(chain, slot);
  chain.OnInterval(IntervalOf(6));
  const AttestationData good = BuildVote(chain.PrepareVote(6).value(), 6);
  const auto on_vote = [&](const auto& change) {
    AttestationData data = good;
    change(data);
    return chain.OnVote(SignVote(1, data)).status();
  };
  const Root unknown = chain.head_state()->latest_block_header.body_root;

  const absl::Status missing = on_vote([&](AttestationData& data) { data.head.root = unknown; });
  EXPECT_EQ(KindOf(missing), ChainErrorKind::kMissingRoot);
  EXPECT_EQ(MissingRoot(missing), unknown);
  EXPECT_EQ(KindOf(on_vote([](AttestationData& data) { data.slot = 7; })), ChainErrorKind::kFuture);
  EXPECT_EQ(KindOf(on_vote([](AttestationData& data) { data.slot = UINT64_MAX; })), ChainErrorKind::kFuture);
  EXPECT_EQ(KindOf(on_vote([](AttestationData& data) { data.target.slot = UINT64_MAX; })), ChainErrorKind::kInvalid);
  EXPECT_EQ(KindOf(on_vote([](AttestationData& data) { std::swap(data.source, data.target); })),
            ChainErrorKind::kInvalid);
  EXPECT_EQ(MissingRoot(on_vote([](AttestationData& data) { data.slot = 7; })), std::nullopt);

  const BuiltBlock built = Build(chain, 6);
  const auto on_block = [&](const auto& change) {
    SignedBlockWithAttestation block = *SignBlock(built);
    change(block);
    return chain.OnBlock(std::make_shared<const SignedBlockWithAttestation>(block)).status();
  };
  using Signed = SignedBlockWithAttestation;
  EXPECT_EQ(MissingRoot(on_block([&](Signed& block) { block.message.block.parent_root = unknown; })), unknown);
  EXPECT_EQ(KindOf(on_block([](Signed& block) { block.signature.pop_back(); })), ChainErrorKind::kInvalid);
  EXPECT_EQ(KindOf(on_block([](Signed& block) { block.message.proposer_attestation.validator_id = 4; })),
            ChainErrorKind::kInvalid);
  EXPECT_EQ(KindOf(on_block([](Signed& block) {
              block.message.block.state_root = Root();
              block.message.proposer_attestation.data.head = block.message.proposer_attestation.data.source;
            })),
            ChainErrorKind::kInvalid);
  EXPECT_EQ(KindOf(on_block([](Signed& block) { block.message.proposer_attestation.data.slot = 7; })),
            ChainErrorKind::kFuture);
  EXPECT_TRUE(on_block([](Signed&) {}).ok());
}

TEST(LeanChain, RefusalsLeaveNoTrace) {
  LeanChain chain = MakeChain(4);
  for (uint64_t slot = 1; slot <= 5; ++slot) RunSlot(chain, slot);
  chain.OnInterval(IntervalOf(6));
  SignedBlockWithAttestation block = *SignBlock(Build(chain, 6));
  ASSERT_FALSE(block.message.block.body.attestations.empty());
  // Refused at the very end: its votes must not have been counted.
  block.message.block.state_root.data[0] ^= 1;
  block.message.proposer_attestation.data.head = chain.head();
  const std::vector<SignedVotePtr> known = chain.known_votes().ToVector();
  const std::vector<SignedVotePtr> pending = chain.pending_votes().ToVector();
  const Checkpoint head = chain.head();
  ASSERT_EQ(KindOf(chain.OnBlock(std::make_shared<const SignedBlockWithAttestation>(block)).status()),
            ChainErrorKind::kInvalid);
  EXPECT_EQ(chain.known_votes().ToVector(), known);
  EXPECT_EQ(chain.pending_votes().ToVector(), pending);
  EXPECT_EQ(chain.head(), head);
  EXPECT_EQ(chain.imported_blocks(), 6u);
}

TEST(LeanChain, ReportsWhatChanged) {
  LeanChain chain = MakeChain(4);
  for (uint64_t slot = 1; slot <= 5; ++slot) RunSlot(chain, slot);
  chain.OnInterval(IntervalOf(6));
  const SignedBlockPtr block = SignBlock(Build(chain, 6));
  const ChainEvents events = chain.OnBlock(block).value();
  EXPECT_EQ(events.head, chain.head());
  EXPECT_EQ(events.justified, chain.justified());
  EXPECT_EQ(events.finalized, chain.finalized());
  EXPECT_FALSE(events.reorg);
  EXPECT_FALSE(events.already_known);
  const ChainEvents again = chain.OnBlock(block).value();
  EXPECT_TRUE(again.already_known);
  EXPECT_FALSE(again.head.has_value());
}

TEST(LeanChain, AReorgIsOne) {
  LeanChain chain = MakeChain(4);
  for (uint64_t slot = 1; slot <= 5; ++slot) RunSlot(chain, slot);
  chain.OnInterval(IntervalOf(6));
  const BuiltBlock one = Build(chain, 6);
  chain.OnInterval(IntervalOf(7));
  const BuiltBlock other = Build(chain, 7);  // on the same parent
  ASSERT_TRUE(chain.OnBlock(SignBlock(one)).ok());
  ASSERT_TRUE(chain.OnBlock(SignBlock(other)).ok());
  const Root first = chain.head().root;
  const BuiltBlock& behind = first == one.root ? other : one;
  for (uint64_t validator = 0; validator < 4; ++validator) {
    AttestationData data = BuildVote(chain.PrepareVote(7).value(), 7);
    data.head = Checkpoint{.root = behind.root, .slot = behind.block.slot};
    ASSERT_TRUE(chain.OnVote(SignVote(validator, data)).ok());
  }
  const ChainEvents events = chain.OnInterval(IntervalOf(7, 3));
  EXPECT_TRUE(events.reorg);
  EXPECT_EQ(chain.head().root, behind.root);
  EXPECT_FALSE(chain.IsCanonical(first));
  EXPECT_TRUE(chain.IsCanonical(behind.root));
  EXPECT_EQ(chain.CanonicalRoot(5), behind.block.parent_root);
}

TEST(LeanChain, ALongPauseIsAsIfTickedThrough) {
  LeanChain ticked = MakeChain(4);
  LeanChain jumped = MakeChain(4);
  for (LeanChain* chain : {&ticked, &jumped}) {
    for (uint64_t slot = 1; slot <= 5; ++slot) RunSlot(*chain, slot);
    chain->OnInterval(IntervalOf(6));
    ASSERT_TRUE(chain->OnBlock(SignBlock(Build(*chain, 6))).ok());
  }
  for (uint64_t interval = IntervalOf(6); interval <= IntervalOf(1000, 2); ++interval) ticked.OnInterval(interval);
  jumped.OnInterval(IntervalOf(1000, 2));
  EXPECT_EQ(jumped.head(), ticked.head());
  EXPECT_EQ(jumped.safe_target(), ticked.safe_target());
  EXPECT_EQ(jumped.time_intervals(), ticked.time_intervals());
  EXPECT_EQ(jumped.known_votes().size(), ticked.known_votes().size());
  // However far: a clock that is wrong must not hang the node.
  jumped.OnInterval(UINT64_MAX);
  EXPECT_EQ(jumped.time_intervals(), UINT64_MAX);
}

TEST(LeanChain, PruneKeepsRootsAndWhatIsNeeded) {
  LeanChain chain = MakeChain(4);
  std::vector<Root> roots;
  for (uint64_t slot = 1; slot <= 200; ++slot) {
    RunSlot(chain, slot);
    roots.push_back(chain.head().root);
    for (const SignedBlockPtr& dropped : chain.Prune({.states = 14, .block_bytes = 100'000})) {
      EXPECT_EQ(ssz::HashTreeRoot(dropped->message.block), roots[dropped->message.block.slot - 1]);
    }
  }
  EXPECT_EQ(chain.imported_blocks(), 201u);
  EXPECT_LT(chain.held_blocks(), 20u);
  EXPECT_LT(chain.ForkChoiceNodes().size(), 10u);
  EXPECT_TRUE(std::all_of(roots.begin(), roots.end(), [&](const Root& root) { return chain.HasBlock(root); }));
  EXPECT_EQ(chain.StateOf(roots[5]), nullptr);
  EXPECT_NE(chain.StateOf(chain.finalized().root), nullptr);
  EXPECT_NE(chain.BlockOf(chain.anchor().root), nullptr);
  EXPECT_EQ(chain.CanonicalRoot(7), roots[6]);
  // A block on a dropped state is too old, not missing something.
  SignedBlockWithAttestation block = *SignBlock(Build(chain, 201));
  block.message.block.parent_root = roots[5];
  EXPECT_EQ(KindOf(chain.OnBlock(std::make_shared<const SignedBlockWithAttestation>(block)).status()),
            ChainErrorKind::kTooOld);
}

// The reference counts votes of any index; a block with one would be refused.
TEST(BlockBuilder, LeavesOutWhatWouldFailTheBlock) {
  LeanChain chain = MakeChain(4);
  for (uint64_t slot = 1; slot <= 5; ++slot) RunSlot(chain, slot);
  chain.OnInterval(IntervalOf(6));
  ASSERT_TRUE(chain.OnVote(SignVote(4, BuildVote(chain.PrepareVote(6).value(), 6))).ok());
  const BuiltBlock built = Build(chain, 6);
  EXPECT_EQ(built.block.body.attestations.size(), 4u);
  EXPECT_TRUE(chain.OnBlock(SignBlock(built)).ok());
}

TEST(BlockBuilder, ProposersVoteIsForItsBlock) {
  LeanChain chain = MakeChain(4);
  for (uint64_t slot = 1; slot <= 5; ++slot) RunSlot(chain, slot);
  chain.OnInterval(IntervalOf(6));
  const BuiltBlock built = Build(chain, 6);
  EXPECT_EQ(built.root, ssz::HashTreeRoot(built.block));
  EXPECT_EQ(built.proposer_attestation.data.head.root, built.root);
  ASSERT_TRUE(chain.OnBlock(SignBlock(built)).ok());
  EXPECT_EQ(built.proposer_attestation.data, BuildVote(chain.PrepareVote(6).value(), 6));
}

TEST(BlockBuilder, RefusesAnotherProposerAndAPastSlot) {
  LeanChain chain = MakeChain(4);
  for (uint64_t slot = 1; slot <= 5; ++slot) RunSlot(chain, slot);
  EXPECT_EQ(KindOf(chain.PrepareProposal(5).status()), ChainErrorKind::kTooOld);
  EXPECT_EQ(KindOf(chain.PrepareProposal(7).status()), ChainErrorKind::kFuture);
  EXPECT_EQ(KindOf(BuildBlock(chain.PrepareProposal(6).value(), 6, 3).status()), ChainErrorKind::kInvalid);
}

TEST(BlockBuilder, CapsTheBodyAtWhatTheSignatureListHolds) {
  LeanChain chain = MakeChain(kValidatorRegistryLimit);
  RunSlot(chain, 1);
  chain.OnInterval(IntervalOf(2));
  const BuiltBlock built = Build(chain, 2);
  EXPECT_EQ(built.block.body.attestations.size(), kMaxVotesInBody);
  EXPECT_TRUE(chain.OnBlock(SignBlock(built)).ok());
}

// Votes of different validators between two ticks: their order must not show in anything but the order of votes.
TEST(LeanChain, OrderOfVotesBetweenTicksDoesNotMatter) {
  EXPECT_TRUE(rc::check([] {
    constexpr uint64_t kValidators = 12;
    const uint64_t seed = *rc::gen::inRange<uint64_t>(0, 1'000'000);
    std::mt19937_64 random(seed);
    LeanChain one = MakeChain(kValidators);
    LeanChain other = MakeChain(kValidators);
    for (uint64_t slot = 1; slot <= 12; ++slot) {
      one.OnInterval(IntervalOf(slot));
      other.OnInterval(IntervalOf(slot));
      if (random() % 4 != 0) {
        const SignedBlockPtr block = SignBlock(Build(one, slot));
        RC_ASSERT(one.OnBlock(block).ok() && other.OnBlock(block).ok());
      }
      const AttestationData data = BuildVote(one.PrepareVote(slot).value(), slot);
      std::vector<SignedVotePtr> votes;
      for (uint64_t validator = 0; validator < kValidators; ++validator) {
        AttestationData vote = data;
        if (random() % 3 == 0) vote.head = vote.source;
        if (random() % 5 != 0) votes.push_back(SignVote(validator, vote));
      }
      for (const SignedVotePtr& vote : votes) RC_ASSERT(one.OnVote(vote).ok());
      std::shuffle(votes.begin(), votes.end(), random);
      for (const SignedVotePtr& vote : votes) RC_ASSERT(other.OnVote(vote).ok());
      for (uint64_t interval = 1; interval < kChainIntervalsPerSlot; ++interval) {
        one.OnInterval(IntervalOf(slot, interval));
        other.OnInterval(IntervalOf(slot, interval));
        RC_ASSERT(one.head() == other.head());
        RC_ASSERT(one.safe_target() == other.safe_target());
      }
      RC_ASSERT(one.justified() == other.justified());
      RC_ASSERT(one.finalized() == other.finalized());
    }
  }));
}

// Blocks and votes of our own builders on random heads, some late, some withheld.
TEST(LeanChain, InvariantsOfChainsThatWeBuild) {
  EXPECT_TRUE(rc::check([] {
    const uint64_t validators = *rc::gen::inRange<uint64_t>(1, 9);
    std::mt19937_64 random(*rc::gen::inRange<uint64_t>(0, 1'000'000));
    LeanChain chain = MakeChain(validators);
    StateArchive archive;  // hardly any state is in memory
    archive.Keep(chain, chain.anchor().root);
    std::vector<SignedBlockPtr> withheld;
    for (uint64_t slot = 1; slot <= 40; ++slot) {
      const Checkpoint finalized = chain.finalized();
      chain.OnInterval(IntervalOf(slot));
      archive.GiveHead(chain);
      if (random() % 5 != 0) {
        const SignedBlockPtr block = SignBlock(Build(chain, slot));
        if (random() % 4 == 0) {
          withheld.push_back(block);
        } else {
          RC_ASSERT(archive.OnBlock(chain, block).ok());
        }
      }
      if (!withheld.empty() && random() % 3 == 0) {
        RC_ASSERT(archive.OnBlock(chain, withheld.back()).ok());
        withheld.pop_back();
      }
      chain.OnInterval(IntervalOf(slot, 1));
      archive.GiveHead(chain);
      const AttestationData data = BuildVote(chain.PrepareVote(slot).value(), slot);
      RC_ASSERT(data.target.slot >= data.source.slot);
      for (uint64_t validator = 0; validator < validators; ++validator) {
        if (random() % 6 != 0) RC_ASSERT(chain.OnVote(SignVote(validator, data)).ok());
      }
      chain.OnInterval(IntervalOf(slot, 3));
      archive.GiveHead(chain);
      chain.Prune({.states = 2, .block_bytes = 50'000});

      RC_ASSERT(chain.finalized().slot <= chain.justified().slot);
      RC_ASSERT(chain.justified().slot <= chain.head().slot);
      RC_ASSERT(chain.IsCanonical(chain.justified().root));
      RC_ASSERT(chain.IsCanonical(chain.finalized().root));
      RC_ASSERT(chain.CanonicalRoot(finalized.slot) == finalized.root);
      RC_ASSERT(chain.head_state() == chain.StateOf(chain.head().root));
    }
  }));
}

}  // namespace
}  // namespace lean::beacon
