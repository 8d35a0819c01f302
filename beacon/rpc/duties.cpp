#include "beacon/rpc/duties.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "beacon/chain/lean_chain.h"
#include "common/bytes/bytes.h"
#include "common/rpc/wire/convert.h"
#include "common/rpc/wire/status.h"
#include "common/ssz/ssz.h"
#include "common/status/status_macros.h"

namespace lean::beacon {
namespace {

constexpr int kMaxPubkeys = 4096;
constexpr int kMaxIndices = 4096;
constexpr int kMaxKnownRoots = 4 * kMaxIndices;

// A duty of the next slot is served when that slot begins within this part of an interval (250 ms of 4-second slots).
constexpr uint64_t kEarlyPartOfInterval = 4;

uint64_t Milliseconds(int64_t time_ms) { return static_cast<uint64_t>(std::max<int64_t>(time_ms, 0)); }

absl::Status WrongSlot(uint64_t requested, int64_t current) {
  return rpc::MakeError(absl::StatusCode::kFailedPrecondition, "WRONG_SLOT",
                        absl::StrCat("slot ", requested, " was asked for, the beacon's clock is in slot ", current),
                        {{"requested", absl::StrCat(requested)}, {"current", absl::StrCat(current)}});
}

// Converts a builder's error to the contract's.
absl::Status BuildError(const absl::Status& status, const ServedChain& chain) {
  const std::optional<ChainErrorKind> kind = KindOf(status);
  const uint64_t head_slot = chain.service.Read([](const LeanChain& lean) { return lean.head().slot; });
  if (kind == ChainErrorKind::kTooOld) {
    return rpc::MakeError(absl::StatusCode::kFailedPrecondition, "SLOT_TAKEN",
                          absl::StrCat("the head is not older than the slot: ", status.message()),
                          {{"head_slot", absl::StrCat(head_slot)}});
  }
  if (kind == ChainErrorKind::kFuture || kind == ChainErrorKind::kNeedsState) {
    return rpc::MakeError(absl::StatusCode::kUnavailable, "SYNCING",
                          absl::StrCat("the chain lags behind: ", status.message()),
                          {{"head_slot", absl::StrCat(head_slot)}, {"current", absl::StrCat(chain.Now().slot)}});
  }
  return absl::InternalError(absl::StrCat("cannot build: ", status.message()));
}

void PutWhole(const BuiltBlock& built, v1::BuildBlockResponse& response) {
  *response.mutable_block() = rpc::ToProto(built.block);
  for (const SignatureBytes& signature : built.signatures) {
    response.add_attestation_signatures(rpc::BytesToProto(signature));
  }
}

}  // namespace

Duties::Duties(const ServedChain& chain, KeptBlocks& kept) : chain_(chain), kept_(kept) {
  const Validators& validators = chain.genesis.state->validators;
  for (uint64_t index = 0; index < validators.size(); ++index) indices_[validators[index].pubkey].push_back(index);
}

absl::StatusOr<v1::GetDutiesResponse> Duties::GetDuties(const v1::GetDutiesRequest& request) const {
  if (request.pubkeys_size() > kMaxPubkeys) {
    return rpc::MalformedRequest(absl::StrCat("pubkeys: ", request.pubkeys_size(), ", at most ", kMaxPubkeys));
  }
  v1::GetDutiesResponse response;
  for (int i = 0; i < request.pubkeys_size(); ++i) {
    ASSIGN_OR_RETURN(const auto pubkey,
                     rpc::FixedBytesFromProto<PublicKeyBytes>(request.pubkeys(i), absl::StrCat("pubkeys[", i, "]")));
    v1::ValidatorDuty& duty = *response.add_duties();
    const auto found = indices_.find(pubkey);
    if (found == indices_.end()) continue;
    duty.set_known(true);
    duty.mutable_indices()->Add(found->second.begin(), found->second.end());
  }
  const int64_t now_ms = chain_.clock.WallMs();
  response.set_proposer_index(request.slot() % chain_.validator_count());
  response.set_validator_count(chain_.validator_count());
  response.set_genesis_block_root(rpc::BytesToProto(chain_.genesis.block_root));
  response.set_genesis_state_root(rpc::BytesToProto(chain_.genesis.state_root));
  response.set_genesis_time(chain_.genesis.state->config.genesis_time);
  response.set_slot_duration_ms(chain_.spec.slot_duration_ms);
  response.set_xmss_log_lifetime(chain_.spec.xmss_log_lifetime);
  response.set_signature_form(std::string(SignatureFormName(chain_.spec.signature_form)));
  response.set_time_ms(Milliseconds(now_ms));
  response.set_current_slot(chain_.slots.At(now_ms).slot);
  response.set_head_slot(chain_.service.Read([](const LeanChain& chain) { return chain.head().slot; }));
  const absl::Status serves = CheckServes();
  response.set_synced(serves.ok());
  if (!serves.ok()) {
    response.set_refusal(rpc::ReasonOf(serves));
    response.set_refusal_message(std::string(serves.message()));
  }
  return response;
}

absl::StatusOr<v1::BuildBlockResponse> Duties::BuildBlock(const rpc::Caller& caller,
                                                          const v1::BuildBlockRequest& request) const {
  RETURN_IF_ERROR(CheckBuildable(request.slot(), request.genesis_block_root()));
  const uint64_t proposer = request.slot() % chain_.validator_count();
  if (request.proposer_index() != proposer) {
    return rpc::MakeError(
        absl::StatusCode::kPermissionDenied, "NOT_PROPOSER",
        absl::StrCat("validator ", proposer, " proposes at slot ", request.slot(), ", not ", request.proposer_index()),
        {{"requested", absl::StrCat(request.proposer_index())}, {"current", absl::StrCat(proposer)}});
  }
  ASSIGN_OR_RETURN(BuiltBlock block, chain_.service.BuildBlock(request.slot(), proposer), BuildError(_, chain_));
  const auto built = std::make_shared<BuiltBlock>(std::move(block));
  v1::BuildBlockResponse response;
  *response.mutable_proposer_attestation() = rpc::ToProto(built->proposer_attestation);
  response.set_vote_count(static_cast<uint32_t>(built->signatures.size()));
  const v1::BlockHeader header = rpc::ToProto(built->header);
  if (!request.header_only()) PutWhole(*built, response);
  // A kept block may be signed at any time, so it is not read any more.
  response.set_kept(kept_.Keep(caller, built));
  if (request.header_only() && response.kept()) *response.mutable_header() = header;
  if (request.header_only() && !response.kept()) PutWhole(*built, response);
  response.set_time_ms(Milliseconds(chain_.clock.WallMs()));
  return response;
}

absl::StatusOr<v1::BuildVoteResponse> Duties::BuildVote(const v1::BuildVoteRequest& request) const {
  RETURN_IF_ERROR(CheckBuildable(request.slot(), request.genesis_block_root()));
  ASSIGN_OR_RETURN(const AttestationData data, chain_.service.BuildVote(request.slot()), BuildError(_, chain_));
  v1::BuildVoteResponse response;
  *response.mutable_data() = rpc::ToProto(data);
  response.set_time_ms(Milliseconds(chain_.clock.WallMs()));
  return response;
}

absl::StatusOr<v1::GetLivenessResponse> Duties::GetLiveness(const v1::GetLivenessRequest& request) const {
  if (request.indices_size() > kMaxIndices) {
    return rpc::MalformedRequest(absl::StrCat("indices: ", request.indices_size(), ", at most ", kMaxIndices));
  }
  for (int i = 0; i < request.indices_size(); ++i) {
    if (request.indices(i) >= chain_.validator_count()) {
      return rpc::MalformedRequest(absl::StrCat("indices[", i, "]: ", request.indices(i), " is not in the registry of ",
                                                chain_.validator_count(), " validators"));
    }
  }
  if (request.known_roots_size() > kMaxKnownRoots) {
    return rpc::MalformedRequest(
        absl::StrCat("known_roots: ", request.known_roots_size(), ", at most ", kMaxKnownRoots));
  }
  absl::flat_hash_set<Root> known;
  for (int i = 0; i < request.known_roots_size(); ++i) {
    ASSIGN_OR_RETURN(const auto root,
                     rpc::FixedBytesFromProto<Root>(request.known_roots(i), absl::StrCat("known_roots[", i, "]")));
    known.insert(root);
  }
  RETURN_IF_ERROR(CheckSynced());
  v1::GetLivenessResponse response;
  const std::vector<uint64_t> indices(request.indices().begin(), request.indices().end());
  for (const std::optional<uint64_t>& latest : chain_.service.seen_votes().Latest(indices)) {
    v1::ValidatorLiveness& validator = *response.add_validators();
    validator.set_live(latest.has_value() && *latest >= request.from_slot());
    validator.set_latest_vote_slot(latest.value_or(0));
  }
  if (!request.show_votes()) return response;
  const std::vector<SeenVote> shown = VotesToShow(indices, request.from_slot(), known);
  for (size_t i = 0; i < shown.size(); ++i) {
    if (shown[i].vote == nullptr) continue;
    v1::SignedAttestation& vote = *response.mutable_validators(static_cast<int>(i))->mutable_vote();
    *vote.mutable_attestation() = rpc::ToProto(*shown[i].vote);
    vote.set_signature(rpc::BytesToProto(*shown[i].signature));
  }
  return response;
}

std::vector<SeenVote> Duties::VotesToShow(const std::vector<uint64_t>& validators, uint64_t from_slot,
                                          const absl::flat_hash_set<Root>& known) const {
  const RecentVotes& recent = chain_.service.recent_votes();
  std::vector<SeenVote> shown(validators.size());
  std::vector<size_t> not_recent;
  for (size_t i = 0; i < validators.size(); ++i) {
    if (std::optional<SeenVote> vote = recent.Find(validators[i], from_slot, known); vote.has_value()) {
      shown[i] = *std::move(vote);
    } else {
      not_recent.push_back(i);
    }
  }
  // For earlier slots the chain has each validator's latest vote.
  chain_.service.Read([&](const LeanChain& chain) {
    for (const size_t i : not_recent) {
      for (const VoteMap* votes : {&chain.pending_votes(), &chain.known_votes()}) {
        const SignedVotePtr& vote = votes->Find(validators[i]);
        if (vote == nullptr || vote->message.data.slot < from_slot) continue;
        if (!recent.Has(validators[i], vote->message.data.slot)) shown[i] = SeenVote::Of(vote);
        break;
      }
    }
  });
  for (const size_t i : not_recent) {
    if (shown[i].vote != nullptr && known.contains(ssz::HashTreeRoot(*shown[i].vote))) shown[i] = {};
  }
  return shown;
}

absl::Status Duties::CheckBuildable(uint64_t slot, const std::string& genesis_block_root) const {
  ASSIGN_OR_RETURN(const auto root, rpc::FixedBytesFromProto<Root>(genesis_block_root, "genesis_block_root"));
  if (root != chain_.genesis.block_root) {
    return rpc::MakeError(absl::StatusCode::kFailedPrecondition, "WRONG_GENESIS",
                          absl::StrCat("the caller's chain begins with ", ShortHex(root.span()), ", the beacon's with ",
                                       ShortHex(chain_.genesis.block_root.span())),
                          {{"requested", ToHex(root.span())}, {"current", ToHex(chain_.genesis.block_root.span())}});
  }
  RETURN_IF_ERROR(CheckSlot(slot));
  if (slot > chain_.last_slot()) {
    return rpc::MakeError(absl::StatusCode::kFailedPrecondition, "CHAIN_ENDED",
                          absl::StrCat("the chain ended with slot ", chain_.last_slot()),
                          {{"last_slot", absl::StrCat(chain_.last_slot())}});
  }
  return CheckServes();
}

absl::Status Duties::CheckServes() const {
  // The block or vote would be refused when it is submitted, and its leaf would be used up.
  RETURN_IF_ERROR(chain_.kept.health(),
                  rpc::MakeError(absl::StatusCode::kUnavailable, reason::kStorageFailed, _.message()));
  return CheckSynced();
}

absl::Status Duties::CheckSynced() const {
  // Checked again, because the clock may have been set.
  if (const ClockStatus clock = chain_.service.clock_status(); !clock.usable) {
    return rpc::MakeError(absl::StatusCode::kUnavailable, reason::kClockWrong, clock.message,
                          {{"current", absl::StrCat(chain_.Now().slot)}});
  }
  const SyncStatus sync = chain_.sync();
  if (sync.synced) return absl::OkStatus();
  const uint64_t head_slot = chain_.service.Read([](const LeanChain& chain) { return chain.head().slot; });
  return rpc::MakeError(absl::StatusCode::kUnavailable, "SYNCING",
                        absl::StrCat("syncing: ", sync.message, ", the head has slot ", head_slot),
                        {{"head_slot", absl::StrCat(head_slot)},
                         {"current", absl::StrCat(chain_.Now().slot)},
                         {"lag_slots", absl::StrCat(sync.lag_slots)}});
}

absl::Status Duties::CheckSlot(uint64_t slot) const {
  const int64_t now_ms = chain_.clock.WallMs();
  const int64_t current = chain_.slots.At(now_ms).slot;
  // Clocks differ slightly, so a caller whose clock is slightly ahead is served.
  const int64_t ahead_ms = static_cast<int64_t>(chain_.slots.interval_duration_ms() / kEarlyPartOfInterval);
  const int64_t early = chain_.slots.At(now_ms + ahead_ms).slot;
  if (early < 0) {
    const uint64_t genesis_time = chain_.genesis.state->config.genesis_time;
    return rpc::MakeError(absl::StatusCode::kFailedPrecondition, "BEFORE_GENESIS",
                          absl::StrCat("the chain begins at ", genesis_time, " (Unix seconds)"),
                          {{"genesis_time", absl::StrCat(genesis_time)}});
  }
  const bool is_current = current >= 0 && slot == static_cast<uint64_t>(current);
  if (!is_current && slot != static_cast<uint64_t>(early)) return WrongSlot(slot, current);
  return absl::OkStatus();
}

}  // namespace lean::beacon
