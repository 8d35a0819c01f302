// Checks on the answers of a beacon before anything in them is signed.
#ifndef LEAN_VALIDATOR_CLIENT_SIGNING_DUTY_CHECKS_H_
#define LEAN_VALIDATOR_CLIENT_SIGNING_DUTY_CHECKS_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "common/containers/attestation.h"
#include "common/containers/block.h"

namespace lean::validator {

// Pure functions. kFailedPrecondition: the message names the field with its expected and its actual value.

// Checks vote data for `slot`: data.slot is `slot`; source.slot <= target.slot <= head.slot <= slot; checkpoints with
// the same block have the same slot.
absl::Status CheckVoteData(uint64_t slot, const AttestationData& data);

// Checks that a proposer's vote belongs to its block: it is by the block's proposer and for the block's slot, its head
// is the recomputed root of the block at that slot, and it passes CheckVoteData.
absl::Status CheckProposerVote(const BlockHeader& block, const Attestation& vote);

// Checks the header of a block by `proposer_index` for `slot`: slot, proposer and parent; the proposer's vote passes
// CheckProposerVote.
absl::Status CheckBuiltHeader(uint64_t slot, uint64_t proposer_index, const BlockHeader& header,
                              const Attestation& proposer_vote);

// The same for a whole block, and that it has one signature for each vote, and room for the proposer's vote.
absl::Status CheckBuiltBlock(uint64_t slot, uint64_t proposer_index, const Block& block, size_t signature_count,
                             const Attestation& proposer_vote);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_SIGNING_DUTY_CHECKS_H_
