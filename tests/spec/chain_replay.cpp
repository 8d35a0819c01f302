#include "tests/spec/chain_replay.h"

#include <memory>
#include <utility>
#include <vector>

#include "common/status/status_macros.h"
#include "tests/spec/support/container_json.h"

namespace lean::spec {

absl::StatusOr<beacon::LeanChain> ChainFromJson(const nlohmann::json& state_json, const nlohmann::json& block_json) {
  ASSIGN_OR_RETURN(State state, FromJson<State>(state_json));
  ASSIGN_OR_RETURN(Block block, FromJson<Block>(block_json));
  return beacon::LeanChain::FromAnchor(std::make_shared<const State>(std::move(state)),
                                       std::make_shared<const Block>(std::move(block)), /*known_roots=*/{},
                                       beacon::AnchorHistory::kUnknown);
}

beacon::SignedBlockPtr WithZeroSignatures(BlockWithAttestation block, size_t signature_count) {
  SignedBlockWithAttestation result{.message = std::move(block), .signature = {}};
  absl::StatusOr<BlockSignatures> signatures =
      BlockSignatures::FromVector(std::vector<SignatureBytes>(signature_count));
  if (signatures.ok()) result.signature = *std::move(signatures);
  return std::make_shared<const SignedBlockWithAttestation>(std::move(result));
}

beacon::SignedVotePtr WithZeroSignature(const Attestation& vote) {
  return std::make_shared<const SignedAttestation>(SignedAttestation{.message = vote, .signature = {}});
}

uint64_t IntervalsAt(uint64_t time, uint64_t genesis_time) { return time < genesis_time ? 0 : time - genesis_time; }

beacon::ChainEvents OnProposal(beacon::LeanChain& chain, uint64_t interval) {
  if (interval % beacon::kChainIntervalsPerSlot == 0 && chain.time_intervals() < interval) {
    // Interval 3 of the slot before accepts them: it runs again.
    chain.OnInterval(interval - 1);
    chain.SetTimeBack(interval - 2);
  }
  return chain.OnInterval(interval);
}

absl::StatusOr<Checkpoint> ReferenceTarget(const beacon::LeanChain& chain) {
  ASSIGN_OR_RETURN(const beacon::VoteSnapshot snapshot, chain.PrepareVote(chain.current_slot()));
  return beacon::ReferenceVoteTarget(snapshot);
}

}  // namespace lean::spec
