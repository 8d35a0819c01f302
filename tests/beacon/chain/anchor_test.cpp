// Chains that begin at a later block, and blocks of history.
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "beacon/chain/lean_chain.h"
#include "beacon/chain/state_transition.h"
#include "gtest/gtest.h"
#include "tests/beacon/chain/chain_testing.h"

namespace lean::beacon {
namespace {

constexpr size_t kValidators = 4;

// A chain of `slots` slots, two of them empty, and its blocks.
struct PlainRun {
  explicit PlainRun(uint64_t slots) {
    for (uint64_t slot = 1; slot <= slots; ++slot) {
      if (slot != 3 && slot != 12) blocks.push_back(RunSlot(chain, slot));
    }
  }

  LeanChain chain = MakeChain(kValidators);
  std::vector<SignedBlockPtr> blocks;
};

TEST(Anchor, ChainIsFollowedFromTheFirstBlockAboveIt) {
  PlainRun run(20);
  const Checkpoint anchor = run.chain.finalized();
  ASSERT_EQ(anchor.slot, 17u);
  LeanChain late = ChainFrom(run.chain, anchor.root);
  EXPECT_EQ(late.imported_blocks(), 1u);
  EXPECT_EQ(late.known_blocks(), 16u);  // genesis, the anchor, and 14 between
  EXPECT_EQ(late.SlotOf(*run.chain.CanonicalRoot(4)), 4u);
  EXPECT_TRUE(late.HasBlock(*run.chain.CanonicalRoot(4)));
  EXPECT_EQ(late.CanonicalRoot(12), std::nullopt);
  EXPECT_FALSE(late.SlotOf(Root()).has_value());

  late.OnInterval(run.chain.time_intervals());
  for (const SignedBlockPtr& block : run.blocks) {
    const auto events = late.OnBlock(block);
    ASSERT_TRUE(events.ok()) << block->message.block.slot << ": " << events.status();
    EXPECT_EQ(events->already_known, block->message.block.slot <= anchor.slot);
  }
  EXPECT_EQ(late.head(), run.chain.head());
  EXPECT_EQ(late.justified(), run.chain.justified());
  // It builds what the others take, and votes as they do, once votes of its own time have given it a safe target.
  const auto tick = [&](uint64_t interval) {
    run.chain.OnInterval(interval);
    late.OnInterval(interval);
  };
  for (uint64_t slot = 21; slot <= 30; ++slot) {
    tick(IntervalOf(slot));
    const SignedBlockPtr block = SignBlock(Build(late, slot));
    ASSERT_TRUE(late.OnBlock(block).ok());
    ASSERT_TRUE(run.chain.OnBlock(block).ok());
    tick(IntervalOf(slot, 1));
    const AttestationData vote = BuildVote(run.chain.PrepareVote(slot).value(), slot);
    EXPECT_EQ(BuildVote(late.PrepareVote(slot).value(), slot) == vote, slot > 21) << slot;
    for (uint64_t validator = 0; validator < kValidators; ++validator) {
      ASSERT_TRUE(late.OnVote(SignVote(validator, vote)).ok());
      ASSERT_TRUE(run.chain.OnVote(SignVote(validator, vote)).ok());
    }
    tick(IntervalOf(slot, 3));
  }
  EXPECT_EQ(late.finalized().slot, 27u);
}

// Its validators' votes and blocks are all there is: nobody has the blocks above it any more.
TEST(Anchor, ChainGoesOnFromTheAnchorAlone) {
  const PlainRun run(20);
  LeanChain late = ChainFrom(run.chain, run.chain.finalized().root);
  for (uint64_t slot = 40; slot <= 60; ++slot) RunSlot(late, slot);
  EXPECT_GT(late.finalized().slot, 40u);
}

TEST(Anchor, WithoutItsHistoryIsTheReferences) {
  const PlainRun run(20);
  LeanChain late = ChainFrom(run.chain, run.chain.finalized().root, {}, AnchorHistory::kUnknown);
  EXPECT_EQ(late.known_blocks(), 1u);
  late.OnInterval(run.chain.time_intervals());
  const SignedBlockPtr next = run.chain.SignedBlockOf(*run.chain.CanonicalRoot(18));
  EXPECT_EQ(KindOf(late.OnBlock(next).status()), ChainErrorKind::kMissingRoot);
  EXPECT_TRUE(late.OnBlock(next, ImportMode::kHistory).ok());
}

// A chain with an orphan whose root is named by a vote in a later canonical block.
struct OrphanRun {
  OrphanRun() {
    for (uint64_t slot = 1; slot <= 10; ++slot) RunSlot(chain, slot);
    anchor = chain.finalized();
    // Two blocks on the head of slot 10; the one of slot 11 loses.
    chain.OnInterval(IntervalOf(12));
    orphan = SignBlock(Build(chain, 11));
    const BuiltBlock winner = Build(chain, 12);
    chain.OnBlock(orphan).value();
    chain.OnBlock(SignBlock(winner)).value();
    orphan_id = Checkpoint{.root = ssz::HashTreeRoot(orphan->message.block), .slot = 11};
    VoteFor(orphan_id, {3});
    VoteFor(Checkpoint{.root = winner.root, .slot = 12}, {1, 2});
    chain.OnInterval(IntervalOf(12, 3));
    for (uint64_t slot = 13; slot <= 25; ++slot) RunSlot(chain, slot);
    for (uint64_t slot = 1; slot <= 25; ++slot) {
      if (const auto root = chain.CanonicalRoot(slot)) canonical.push_back(chain.SignedBlockOf(*root));
    }
  }

  void VoteFor(const Checkpoint& head, const std::vector<uint64_t>& validators) {
    AttestationData data = BuildVote(chain.PrepareVote(12).value(), 12);
    data.head = head;
    for (const uint64_t validator : validators) chain.OnVote(SignVote(validator, data)).value();
  }

  // A chain at the same time that has imported nothing yet, from genesis or from the anchor.
  LeanChain Joiner(bool from_anchor, const std::vector<Checkpoint>& known_roots = {}) const {
    LeanChain joiner = ChainFrom(chain, from_anchor ? anchor.root : chain.anchor().root, known_roots);
    joiner.OnInterval(chain.time_intervals());
    return joiner;
  }

  LeanChain chain = MakeChain(kValidators);
  Checkpoint anchor;
  SignedBlockPtr orphan;
  Checkpoint orphan_id;
  std::vector<SignedBlockPtr> canonical;
};

TEST(History, OrphanedRootsDoNotStallALateJoiner) {
  const OrphanRun run;
  ASSERT_FALSE(run.chain.IsCanonical(run.orphan_id.root));
  for (const bool from_anchor : {false, true}) {
    LeanChain live = run.Joiner(from_anchor);
    absl::Status first_refusal;
    for (const SignedBlockPtr& block : run.canonical) first_refusal.Update(live.OnBlock(block).status());
    ASSERT_EQ(MissingRoot(first_refusal), run.orphan_id.root) << first_refusal;

    LeanChain joiner = run.Joiner(from_anchor);
    for (const SignedBlockPtr& block : run.canonical) {
      ASSERT_TRUE(joiner.OnBlock(block, ImportMode::kHistory).ok()) << block->message.block.slot;
    }
    EXPECT_EQ(joiner.head(), run.chain.head());
    EXPECT_EQ(joiner.justified(), run.chain.justified());
    EXPECT_EQ(joiner.finalized(), run.chain.finalized());
    EXPECT_FALSE(joiner.SlotOf(run.orphan_id.root).has_value());
    // And from here on it lives with the others.
    RunSlot(joiner, 26);
  }
}

TEST(History, AVoteWithoutItsRootCountsForNothing) {
  const OrphanRun run;
  LeanChain joiner = run.Joiner(/*from_anchor=*/false);
  for (const SignedBlockPtr& block : run.canonical) {
    if (block->message.block.slot <= 13) joiner.OnBlock(block, ImportMode::kHistory).value();
  }
  const SignedVotePtr vote = joiner.known_votes().Find(3);
  ASSERT_NE(vote, nullptr);
  EXPECT_LT(vote->message.data.slot, 12u);  // that of slot 12 named the orphan
  EXPECT_EQ(joiner.known_votes().Find(2)->message.data.slot, 12u);
}

TEST(History, ARememberedOrphanIsKnownAndCanStillCome) {
  const OrphanRun run;
  LeanChain restarted = run.Joiner(/*from_anchor=*/true, {run.orphan_id});
  EXPECT_EQ(restarted.SlotOf(run.orphan_id.root), 11u);
  EXPECT_FALSE(restarted.HasBlock(run.orphan_id.root));
  for (const SignedBlockPtr& block : run.canonical) {
    ASSERT_TRUE(restarted.OnBlock(block).ok()) << block->message.block.slot;
    if (block->message.block.slot == 12) {
      EXPECT_FALSE(restarted.OnBlock(run.orphan).value().already_known);
    }
  }
  EXPECT_TRUE(restarted.HasBlock(run.orphan_id.root));
  EXPECT_EQ(restarted.head(), run.chain.head());
}

// What builds on a block that is remembered, but not held, waits for it.
TEST(History, ARememberedParentIsMissingAboveTheAnchorAndTooOldBelowIt) {
  const OrphanRun run;
  LeanChain restarted = run.Joiner(/*from_anchor=*/true, {run.orphan_id});
  SignedBlockWithAttestation block = *run.canonical.back();
  block.message.block.parent_root = run.orphan_id.root;
  const auto import = [&] {
    return restarted.OnBlock(std::make_shared<const SignedBlockWithAttestation>(block), ImportMode::kHistory).status();
  };
  EXPECT_EQ(MissingRoot(import()), run.orphan_id.root);
  block.message.block.parent_root = *run.chain.CanonicalRoot(2);
  EXPECT_EQ(KindOf(import()), ChainErrorKind::kTooOld);
}

TEST(History, TheTransitionStillDecides) {
  const OrphanRun run;
  LeanChain joiner = run.Joiner(/*from_anchor=*/false);
  const auto import = [&](const auto& change) {
    SignedBlockWithAttestation block = *run.canonical.front();
    change(block);
    return KindOf(
        joiner.OnBlock(std::make_shared<const SignedBlockWithAttestation>(block), ImportMode::kHistory).status());
  };
  using Signed = SignedBlockWithAttestation;
  EXPECT_EQ(import([](Signed& block) { block.message.block.state_root.data[0] ^= 1; }), ChainErrorKind::kInvalid);
  EXPECT_EQ(import([](Signed& block) { block.signature.pop_back(); }), ChainErrorKind::kInvalid);
  EXPECT_EQ(import([](Signed& block) { ++block.message.block.proposer_index; }), ChainErrorKind::kInvalid);
  EXPECT_EQ(joiner.imported_blocks(), 1u);
}

// Nodes that keep different things take the same blocks.
TEST(History, PruningDoesNotChangeWhatIsAccepted) {
  const OrphanRun run;
  LeanChain keeps = run.Joiner(/*from_anchor=*/false);
  LeanChain prunes = run.Joiner(/*from_anchor=*/true);
  keeps.OnBlock(run.canonical[0]).value();
  for (const SignedBlockPtr& block : run.canonical) {
    if (block->message.block.slot == 12) keeps.OnBlock(run.orphan).value();
    EXPECT_EQ(keeps.OnBlock(block, ImportMode::kHistory).ok(), prunes.OnBlock(block, ImportMode::kHistory).ok());
    prunes.Prune({.states = 8, .block_bytes = 0});
  }
  EXPECT_EQ(keeps.head(), prunes.head());
  EXPECT_EQ(keeps.finalized(), prunes.finalized());
  EXPECT_EQ(keeps.finalized(), run.chain.finalized());
  EXPECT_GT(keeps.held_blocks(), prunes.held_blocks());
  for (uint64_t slot = 26; slot <= 32; ++slot) {
    prunes.OnInterval(IntervalOf(slot));
    const SignedBlockPtr block = RunSlot(keeps, slot);
    ASSERT_TRUE(prunes.OnBlock(block).ok()) << slot;
    prunes.OnInterval(IntervalOf(slot, 3));
    prunes.Prune({.states = 8, .block_bytes = 0});
  }
  EXPECT_EQ(keeps.finalized(), prunes.finalized());
}

}  // namespace
}  // namespace lean::beacon
