// What validators sign: votes and blocks, built from a snapshot of the chain. Source: leanSpec 050fa4a,
// Store.get_attestation_target, produce_attestation_data and produce_block_with_signatures. Vote targets differ where
// the reference would stop finality for good (docs/spec_deviations.md, "What we vote for"). LeanChain accepts every
// block that is built here: votes that would invalidate the block, and votes beyond 4095, are left out.
#ifndef LEAN_BEACON_CHAIN_BUILDERS_H_
#define LEAN_BEACON_CHAIN_BUILDERS_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "beacon/chain/chain_types.h"

namespace lean::beacon {

// A snapshot of the chain from which a vote is built. A value; cheap to copy and readable without a lock.
struct VoteSnapshot {
  Checkpoint head;
  StatePtr head_state;  // the head's post-state
  Checkpoint safe_target;
  Checkpoint justified;      // the store's: highest justified on any fork
  Checkpoint finalized;      // the store's
  uint64_t oldest_slot = 0;  // the head's chain is known from here on
};

// The target by the reference's own rule: at most kJustificationLookbackSlots blocks back from the head while above the
// safe target, then back to a slot that is justifiable after the finalized one. Not clamped to any source.
// FailedPrecondition where the reference raises: the walk leaves the known blocks, or goes below the finalized slot.
absl::StatusOr<Checkpoint> ReferenceVoteTarget(const VoteSnapshot& snapshot);

// The vote data that all validators share at `slot`. The target is never older than the source. Cannot fail.
AttestationData BuildVote(const VoteSnapshot& snapshot, uint64_t slot);

// A snapshot of the chain from which a block is built. A value, readable without a lock. `view.head` is the block to
// build on: the head after the pending votes are accepted.
struct ProposalSnapshot {
  VoteSnapshot view;
  std::vector<SignedVotePtr> votes;  // known votes with the pending ones merged in, in insertion order
};

// An unsigned block with what its proposer signs.
struct BuiltBlock {
  Block block;
  BlockHeader header;                      // of the block
  Root root;                               // hash_tree_root of either
  Attestation proposer_attestation;        // as it stands once the block is in: its head is the block
  std::vector<SignatureBytes> signatures;  // of the body's votes; has room for the proposer's own
};

// kInvalid: `proposer` is not the slot's proposer. kTooOld: the head is not older than `slot`.
absl::StatusOr<BuiltBlock> BuildBlock(const ProposalSnapshot& snapshot, uint64_t slot, uint64_t proposer);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_CHAIN_BUILDERS_H_
