// What a validator votes for. Source: leanSpec 050fa4a, Store.get_attestation_target and produce_attestation_data;
// where ours differs (docs/spec_deviations.md, "What we vote for"), it keeps finality going where the reference stops
// for good.
#ifndef LEAN_BEACON_CHAIN_VOTE_BUILDER_H_
#define LEAN_BEACON_CHAIN_VOTE_BUILDER_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "beacon/chain/chain_types.h"

namespace lean::beacon {

// A view of the chain from which a vote follows. A value; cheap to copy, readable off any lock.
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

}  // namespace lean::beacon

#endif  // LEAN_BEACON_CHAIN_VOTE_BUILDER_H_
