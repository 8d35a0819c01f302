// Block production. Source: leanSpec 050fa4a, Store.produce_block_with_signatures. What we build, LeanChain accepts: a
// vote that would fail the whole block is left out, and so is what does not fit (4095 votes).
#ifndef LEAN_BEACON_CHAIN_BLOCK_BUILDER_H_
#define LEAN_BEACON_CHAIN_BLOCK_BUILDER_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "beacon/chain/chain_types.h"
#include "beacon/chain/vote_builder.h"

namespace lean::beacon {

// A view of the chain from which a block follows. A value; readable off any lock. `view.head` is the block to build on:
// the head once pending votes count.
struct ProposalSnapshot {
  VoteSnapshot view;
  std::vector<SignedVotePtr> votes;  // known votes with the pending ones merged in, in insertion order
};

// An unsigned block with what its proposer signs.
struct BuiltBlock {
  Block block;
  Root root;                               // hash_tree_root(block)
  Attestation proposer_attestation;        // as it stands once the block is in: its head is the block
  std::vector<SignatureBytes> signatures;  // of the body's votes; the proposer's own is appended by its signer
};

// kInvalid: `proposer` is not the slot's proposer. kTooOld: the head is not older than `slot`.
absl::StatusOr<BuiltBlock> BuildBlock(const ProposalSnapshot& snapshot, uint64_t slot, uint64_t proposer);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_CHAIN_BLOCK_BUILDER_H_
