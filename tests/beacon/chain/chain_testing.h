// Anchors, blocks and votes for tests of the chain. Signatures are zero: the chain does not look at them.
#ifndef LEAN_TESTS_BEACON_CHAIN_CHAIN_TESTING_H_
#define LEAN_TESTS_BEACON_CHAIN_CHAIN_TESTING_H_

#include <cstddef>
#include <cstdint>
#include <map>

#include "beacon/chain/lean_chain.h"

namespace lean::beacon {

// A genesis state of validators with made-up keys.
StatePtr MakeGenesisState(size_t validator_count);
// A chain from that genesis.
LeanChain MakeChain(size_t validator_count);

SignedVotePtr SignVote(uint64_t validator, const AttestationData& data);
// As its proposer submits it.
SignedBlockPtr SignBlock(const BuiltBlock& built);
// With another proposer's vote than the builder's.
SignedBlockPtr SignBlock(const BuiltBlock& built, const AttestationData& proposer_vote);

constexpr uint64_t IntervalOf(uint64_t slot, uint64_t interval = 0) { return slot * kChainIntervalsPerSlot + interval; }

// The block of the slot's proposer on the chain's head.
BuiltBlock Build(const LeanChain& chain, uint64_t slot);
// One slot as it goes when everyone is there: a block, everyone's votes. Returns the block.
SignedBlockPtr RunSlot(LeanChain& chain, uint64_t slot);
// The same with the first `present` validators alone: null in a slot of another one, which has no block.
SignedBlockPtr RunSlot(LeanChain& chain, uint64_t slot, uint64_t present);
// The same chain from one of its blocks and that one's state on: nothing above it is imported.
LeanChain ChainFrom(const LeanChain& chain, const Root& anchor, absl::Span<const Checkpoint> known_roots = {},
                    AnchorHistory history = AnchorHistory::kKnown);

// Every state that a chain ever had, for a chain that keeps next to none.
class StateArchive {
 public:
  // As LeanChain::OnBlock, with the states that it needs given from here. The block's own is added.
  absl::StatusOr<ChainEvents> OnBlock(LeanChain& chain, const SignedBlockPtr& block,
                                      ImportMode mode = ImportMode::kLive);
  // Adds the state of a block, if the chain holds it.
  void Keep(const LeanChain& chain, const Root& root);
  // Gives the head's state if the chain does not have it.
  void GiveHead(LeanChain& chain);
  size_t given() const { return given_; }

 private:
  std::map<Root, StatePtr> states_;
  size_t given_ = 0;
};

// The vote by the reference's rule, but for its target, which is never older than its source (the reference would
// refuse its own vote).
AttestationData ReferenceVote(const VoteSnapshot& view, uint64_t slot);
// The snapshot as it will be when the built block is in.
VoteSnapshot ViewAfter(const ProposalSnapshot& snapshot, const BuiltBlock& built);

}  // namespace lean::beacon

#endif  // LEAN_TESTS_BEACON_CHAIN_CHAIN_TESTING_H_
