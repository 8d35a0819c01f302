// What a beacon's answer must be like before anything in it is signed.
#ifndef LEAN_VALIDATOR_CLIENT_SIGNING_DUTY_CHECKS_H_
#define LEAN_VALIDATOR_CLIENT_SIGNING_DUTY_CHECKS_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "common/containers/attestation.h"
#include "common/containers/block.h"

namespace lean::validator {

// Pure functions. kFailedPrecondition says which field differs, with what was asked for and what came.

// Vote data for `slot`: data.slot is `slot`, and source.slot <= target.slot <= head.slot <= slot, where two checkpoints
// that claim one block must agree on its slot.
absl::Status CheckVoteData(uint64_t slot, const AttestationData& data);

// What ties a proposer's vote to its block: it is by the block's proposer, for its slot, with the block's own
// recomputed root and slot as its head, and passes CheckVoteData.
absl::Status CheckProposerVote(const Block& block, const Attestation& vote);

// A block by `proposer_index` for `slot`: its slot, proposer and parent; one signature for each of its votes, and no
// more votes than fit; the proposer's vote passes CheckProposerVote.
absl::Status CheckBuiltBlock(uint64_t slot, uint64_t proposer_index, const Block& block, size_t signature_count,
                             const Attestation& proposer_vote);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_SIGNING_DUTY_CHECKS_H_
