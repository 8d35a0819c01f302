#include "beacon/rpc/beacon_queries.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "beacon/chain/lean_chain.h"
#include "beacon/rpc/views.h"
#include "beacon/services/events/vote_groups.h"
#include "common/bytes/bytes.h"
#include "common/containers/attestation.h"
#include "common/containers/limits.h"
#include "common/rpc/wire/status.h"
#include "common/ssz/ssz.h"
#include "common/status/status_macros.h"
#include "common/version/version.h"

namespace lean::beacon {
namespace {

constexpr uint64_t kDefaultValidators = 256;
constexpr uint64_t kMaxValidators = 4096;
constexpr uint32_t kDefaultNodes = 1024;
constexpr uint32_t kMaxNodes = 16384;
constexpr size_t kMaxJustifications = 1024;
constexpr size_t kMaxMissing = 64;
constexpr char kLeanSpecCommit[] = "050fa4a";

template <size_t N>
std::string Hex(const Bytes<N>& bytes) {
  return ToHex(bytes.span());
}

// The four checkpoints of several responses.
template <typename Response>
void AddCheckpoints(const LeanChain& chain, Response& response) {
  View(chain.head(), *response.mutable_head());
  View(chain.justified(), *response.mutable_justified());
  View(chain.finalized(), *response.mutable_finalized());
  View(chain.safe_target(), *response.mutable_safe_target());
}

// The limit of a request: 0 means the default; a larger limit than `most` is an error.
template <typename T>
absl::StatusOr<T> Limit(T asked, T standard, T most) {
  if (asked > most) return rpc::MalformedRequest(absl::StrCat("limit: ", asked, ", at most ", most));
  return asked == 0 ? standard : asked;
}

void AddJustifications(const State& state, v1::GetStateResponse& response) {
  const size_t count = state.justifications_roots.size();
  const size_t validators = state.validators.size();
  response.set_justification_count(count);
  for (size_t i = 0; i < std::min(count, kMaxJustifications); ++i) {
    v1::JustificationView& view = *response.add_justifications();
    view.set_root(Hex(state.justifications_roots[i]));
    uint64_t votes = 0;
    for (size_t v = 0; v < validators; ++v) votes += state.justifications_validators[i * validators + v] ? 1 : 0;
    view.set_votes(votes);
  }
}

}  // namespace

BeaconQueries::BeaconQueries(const ServedChain& chain)
    : chain_(chain), started_(chain.clock.Steady()), checkpoints_(chain) {}

absl::StatusOr<v1::GetHeadResponse> BeaconQueries::GetHead(const v1::GetHeadRequest&) const {
  v1::GetHeadResponse response;
  v1::BlockId head;
  chain_.service.Read([&](const LeanChain& chain) {
    AddCheckpoints(chain, response);
    head.set_root(Hex(chain.head().root));
  });
  ASSIGN_OR_RETURN(const FoundBlock found, FindBlock(chain_, /*named=*/true, head));
  response.set_parent_root(Hex(found.block->parent_root));
  response.set_state_root(Hex(found.block->state_root));
  response.set_proposer_index(found.block->proposer_index);
  return response;
}

absl::StatusOr<v1::GetChainStatusResponse> BeaconQueries::GetChainStatus(const v1::GetChainStatusRequest&) const {
  v1::GetChainStatusResponse response;
  const int64_t now_ms = chain_.clock.WallMs();
  const SlotTime now = chain_.slots.At(now_ms);
  const uint64_t slot = static_cast<uint64_t>(std::max<int64_t>(now.slot, 0));
  response.set_slot(now.slot);
  response.set_interval(now.interval);
  response.set_time_ms(static_cast<uint64_t>(std::max<int64_t>(now_ms, 0)));
  response.set_validator_count(chain_.validator_count());
  response.set_proposer_index(slot % chain_.validator_count());
  response.set_slots_left(chain_.last_slot() - std::min(chain_.last_slot(), slot));
  const SyncStatus sync = chain_.sync();
  response.set_synced(sync.synced);
  View(sync, *response.mutable_sync());
  if (chain_.peers != nullptr) response.set_peers(static_cast<uint32_t>(chain_.peers->peer_count()));
  response.set_storage_error(std::string(chain_.kept.health().message()));
  response.set_oldest_block_slot(chain_.blocks.earliest_slot());
  chain_.service.Read([&](const LeanChain& chain) {
    AddCheckpoints(chain, response);
    response.set_known_votes(chain.known_votes().size());
    response.set_pending_votes(chain.pending_votes().size());
    response.set_block_count(chain.held_blocks());
  });
  const ChainService::QueueSizes queues = chain_.service.queue_sizes();
  response.set_waiting_blocks(queues.waiting_blocks);
  response.set_waiting_votes(queues.waiting_votes);
  const SeenVotes& seen = chain_.service.seen_votes();
  response.set_votes_in_slot(seen.Count(slot));
  if (slot > 0) {
    response.set_votes_in_previous_slot(seen.Count(slot - 1));
    for (const uint64_t index : seen.Missing(slot - 1, kMaxMissing)) response.add_missing_in_previous_slot(index);
  }
  return response;
}

absl::StatusOr<v1::GetBlockResponse> BeaconQueries::GetBlock(const v1::GetBlockRequest& request) const {
  ASSIGN_OR_RETURN(const FoundBlock found, FindBlock(chain_, request.has_block(), request.block()));
  const Block& block = *found.block;
  v1::GetBlockResponse response;
  response.set_root(Hex(found.root));
  response.set_slot(block.slot);
  response.set_proposer_index(block.proposer_index);
  response.set_parent_root(Hex(block.parent_root));
  response.set_state_root(Hex(block.state_root));
  response.set_body_root(Hex(ssz::HashTreeRoot(block.body)));
  if (!request.without_votes()) {
    for (const Attestation& vote : block.body.attestations) View(vote, *response.add_attestations());
  }
  if (found.signed_block != nullptr) {
    View(found.signed_block->message.proposer_attestation, *response.mutable_proposer_attestation());
  }
  response.set_canonical(found.canonical);
  response.set_finalized(found.finalized);
  return response;
}

absl::StatusOr<v1::GetStateResponse> BeaconQueries::GetState(const v1::GetStateRequest& request) const {
  ASSIGN_OR_RETURN(const FoundBlock found, FindBlock(chain_, request.has_block(), request.block()));
  absl::StatusOr<StatePtr> held = found.state;
  if (found.state == nullptr) held = chain_.service.StateOf(found.root);
  if (absl::IsResourceExhausted(held.status())) {
    return rpc::MakeError(absl::StatusCode::kResourceExhausted, "OVERLOADED", held.status().message());
  }
  RETURN_IF_ERROR(held.status(), rpc::MakeError(absl::StatusCode::kNotFound, "STATE_PRUNED",
                                                absl::StrCat("the post-state of block ", ShortHex(found.root.span()),
                                                             " is not held any more: ", _.message())));
  const State& state = **held;
  v1::GetStateResponse response;
  response.set_block_root(Hex(found.root));
  response.set_state_root(Hex(found.block->state_root));
  response.set_slot(state.slot);
  response.set_genesis_time(state.config.genesis_time);
  View(state.latest_justified, *response.mutable_justified());
  View(state.latest_finalized, *response.mutable_finalized());
  response.set_validator_count(state.validators.size());
  response.set_historical_block_hashes(state.historical_block_hashes.size());
  AddJustifications(state, response);
  return response;
}

absl::StatusOr<v1::GetValidatorsResponse> BeaconQueries::GetValidators(const v1::GetValidatorsRequest& request) const {
  ASSIGN_OR_RETURN(const uint64_t limit, Limit(request.limit(), kDefaultValidators, kMaxValidators));
  const Validators& validators = chain_.genesis.state->validators;
  const uint64_t total = validators.size();
  const uint64_t first = std::min(request.start(), total);
  const uint64_t last = first + std::min(limit, total - first);
  v1::GetValidatorsResponse response;
  response.set_total(total);
  chain_.service.Read([&](const LeanChain& chain) {
    for (uint64_t index = first; index < last; ++index) {
      v1::ValidatorView& view = *response.add_validators();
      view.set_index(index);
      if (const auto slot = chain.LatestVoteSlot(index)) view.set_latest_vote_slot(*slot);
    }
  });
  for (v1::ValidatorView& view : *response.mutable_validators()) view.set_pubkey(Hex(validators[view.index()].pubkey));
  return response;
}

absl::StatusOr<v1::GetForkChoiceResponse> BeaconQueries::GetForkChoice(const v1::GetForkChoiceRequest& request) const {
  ASSIGN_OR_RETURN(const uint32_t limit, Limit(request.limit(), kDefaultNodes, kMaxNodes));
  v1::GetForkChoiceResponse response;
  const std::vector<ForkChoiceNode> nodes = chain_.service.Read([&](const LeanChain& chain) {
    AddCheckpoints(chain, response);
    std::vector<ForkChoiceNode> newest = chain.ForkChoiceNodes(limit);
    response.set_total(newest.size() < limit ? newest.size() : chain.tree_blocks());
    return newest;
  });
  for (const ForkChoiceNode& node : nodes) {
    v1::ForkChoiceNode& view = *response.add_nodes();
    view.set_root(Hex(node.root));
    view.set_slot(node.slot);
    view.set_parent_root(Hex(node.parent_root));
    view.set_weight(node.weight);
    view.set_proposer_index(node.slot % chain_.validator_count());
    view.set_canonical(node.canonical);
  }
  return response;
}

absl::StatusOr<v1::GetLatestVotesResponse> BeaconQueries::GetLatestVotes(const v1::GetLatestVotesRequest&) const {
  const std::vector<SignedVotePtr> votes = chain_.service.Read([](const LeanChain& chain) {
    std::vector<SignedVotePtr> all = chain.known_votes().ToVector();
    chain.pending_votes().ForEach([&](const SignedVotePtr& vote) { all.push_back(vote); });
    return all;
  });
  std::map<uint64_t, const Attestation*> newest;  // by validator, which may have a known and a pending vote
  for (const SignedVotePtr& vote : votes) {
    const Attestation*& of_validator = newest[vote->message.validator_id];
    if (of_validator == nullptr || of_validator->data.slot < vote->message.data.slot) of_validator = &vote->message;
  }
  std::vector<const Attestation*> of_validators;
  of_validators.reserve(newest.size());
  for (const auto& [validator, vote] : newest) of_validators.push_back(vote);
  v1::GetLatestVotesResponse response;
  for (const VoteGroup& group : GroupByHead(of_validators)) View(group, *response.add_votes());
  return response;
}

absl::StatusOr<v1::GetParticipationResponse> BeaconQueries::GetParticipation(const v1::GetParticipationRequest&) const {
  v1::GetParticipationResponse response;
  for (const SeenVotes::SlotVoters& voters : chain_.service.seen_votes().Voters()) {
    std::vector<uint64_t> indices;
    indices.reserve(voters.count);
    for (uint64_t index = 0; index < voters.voted.size(); ++index) {
      if (voters.voted[index]) indices.push_back(index);
    }
    v1::SlotParticipation& view = *response.add_slots();
    view.set_slot(voters.slot);
    view.set_votes(voters.count);
    view.set_validators(IndexRanges(indices));
  }
  return response;
}

absl::StatusOr<v1::GetSpecResponse> BeaconQueries::GetSpec(const v1::GetSpecRequest&) const {
  v1::GetSpecResponse response;
  response.set_network(chain_.spec.name);
  response.set_slot_duration_ms(chain_.spec.slot_duration_ms);
  response.set_intervals_per_slot(kIntervalsPerSlot);
  response.set_justification_lookback_slots(kJustificationLookbackSlots);
  response.set_historical_roots_limit(kHistoricalRootsLimit);
  response.set_validator_registry_limit(kValidatorRegistryLimit);
  response.set_max_attestations_per_block(kMaxVotesInBody);
  response.set_signature_bytes(SignatureBytes::kSize);
  response.set_public_key_bytes(PublicKeyBytes::kSize);
  response.set_xmss_log_lifetime(chain_.spec.xmss_log_lifetime);
  response.set_signature_form(std::string(SignatureFormName(chain_.spec.signature_form)));
  response.set_leanspec_commit(kLeanSpecCommit);
  return response;
}

absl::StatusOr<v1::GetGenesisResponse> BeaconQueries::GetGenesis(const v1::GetGenesisRequest&) const {
  v1::GetGenesisResponse response;
  response.set_genesis_time(chain_.genesis.state->config.genesis_time);
  response.set_genesis_state_root(Hex(chain_.genesis.state_root));
  response.set_genesis_block_root(Hex(chain_.genesis.block_root));
  response.set_validator_count(chain_.validator_count());
  return response;
}

absl::StatusOr<v1::GetNodeInfoResponse> BeaconQueries::GetNodeInfo(const NodeInfo& node) const {
  v1::GetNodeInfoResponse response;
  response.set_name(node.name);
  response.set_version(std::string(Version()));
  response.set_commit(std::string(Commit()));
  response.set_build(std::string(Build()));
  response.set_uptime_ms(static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(chain_.clock.Steady() - started_).count()));
  response.set_rpc_address(node.rpc_address);
  response.set_tls(node.tls);
  response.set_insecure_rpc(node.insecure);
  response.set_genesis_block_root(Hex(chain_.genesis.block_root));
  View(chain_.sync(), *response.mutable_sync());
  if (chain_.peers != nullptr) {
    *response.mutable_network() = chain_.peers->View();
    response.set_peers(static_cast<uint32_t>(chain_.peers->peer_count()));
  }
  const absl::Status health = chain_.kept.health();
  const std::string kind = chain_.kept.on_disk ? "disk" : "memory";
  response.set_storage(health.ok() ? kind : absl::StrCat("failed: ", health.message()));
  return response;
}

absl::StatusOr<v1::GetPeersResponse> BeaconQueries::GetPeers(const v1::GetPeersRequest&) const {
  if (chain_.peers == nullptr) return v1::GetPeersResponse();
  return chain_.peers->PeerViews();
}

}  // namespace lean::beacon
