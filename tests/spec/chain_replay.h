// What the replays of chains share.
#ifndef LEAN_TESTS_SPEC_CHAIN_REPLAY_H_
#define LEAN_TESTS_SPEC_CHAIN_REPLAY_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/statusor.h"
#include "beacon/chain/lean_chain.h"
#include "nlohmann/json.hpp"

namespace lean::spec {

// A chain from an anchor's JSON, in the reference's form: it knows nothing below the anchor.
absl::StatusOr<beacon::LeanChain> ChainFromJson(const nlohmann::json& state, const nlohmann::json& block);

// Handles with signatures of zeros, which the chain does not look at.
beacon::SignedBlockPtr WithZeroSignatures(BlockWithAttestation block, size_t signature_count);
beacon::SignedVotePtr WithZeroSignature(const Attestation& vote);

// Unix seconds as the vectors' chain counts time: intervals of a second since genesis, 0 before it.
uint64_t IntervalsAt(uint64_t time, uint64_t genesis_time);

// Advances time to `interval`. When that begins a slot, the pending votes are accepted there, as the reference does
// when it sees the slot's proposal; a node never does.
beacon::ChainEvents OnProposal(beacon::LeanChain& chain, uint64_t interval);

// The target that a vote has by the reference's own rule. Errors as of PrepareVote and ReferenceVoteTarget.
absl::StatusOr<Checkpoint> ReferenceTarget(const beacon::LeanChain& chain);

}  // namespace lean::spec

#endif  // LEAN_TESTS_SPEC_CHAIN_REPLAY_H_
