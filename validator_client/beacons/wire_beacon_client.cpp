#include "validator_client/beacons/wire_beacon_client.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/bytes/bytes.h"
#include "common/containers/block.h"
#include "common/containers/limits.h"
#include "common/rpc/wire/convert.h"
#include "common/ssz/ssz.h"
#include "common/status/status_macros.h"
#include "lean/v1/beacon.pb.h"
#include "lean/v1/validator.pb.h"

namespace lean::validator {
namespace {

constexpr char kDuties[] = "DutyService";
constexpr char kQueries[] = "BeaconService";

absl::StatusOr<SubmitResult> SubmitResultFromProto(const v1::SubmitResult& message) {
  SubmitResult result;
  result.reason = message.reason();
  result.message = message.message();
  switch (message.status()) {
    case v1::ACCEPTED:
      result.status = SubmitResult::Status::kAccepted;
      return result;
    case v1::ALREADY_KNOWN:
      result.status = SubmitResult::Status::kAlreadyKnown;
      return result;
    case v1::QUEUED:
      result.status = SubmitResult::Status::kQueued;
      return result;
    case v1::REFUSED:
      result.status = SubmitResult::Status::kRefused;
      return result;
    default:
      return absl::InvalidArgumentError(absl::StrCat("result.status: unknown value ", message.status()));
  }
}

absl::StatusOr<DutiesAnswer> DutiesFromProto(const v1::GetDutiesResponse& message) {
  DutiesAnswer answer;
  for (const v1::ValidatorDuty& duty : message.duties()) {
    answer.duties.push_back({duty.known(), {duty.indices().begin(), duty.indices().end()}});
  }
  ASSIGN_OR_RETURN(const auto block_root,
                   rpc::FixedBytesFromProto<Root>(message.genesis_block_root(), "genesis_block_root"));
  answer.proposer_index = message.proposer_index();
  answer.validator_count = message.validator_count();
  answer.genesis_block_root = block_root;
  answer.genesis_time = message.genesis_time();
  answer.slot_duration_ms = message.slot_duration_ms();
  answer.xmss_log_lifetime = message.xmss_log_lifetime();
  answer.signature_form = message.signature_form();
  answer.time_ms = static_cast<int64_t>(message.time_ms());
  answer.head_slot = message.head_slot();
  answer.synced = message.synced();
  answer.refusal = message.refusal();
  answer.refusal_message = message.refusal_message();
  return answer;
}

absl::StatusOr<BuiltBlockAnswer> BuiltBlockFromProto(const v1::BuildBlockResponse& message, BlockForm form) {
  if (!message.has_proposer_attestation()) return absl::InvalidArgumentError("proposer_attestation: is missing");
  BuiltBlockAnswer answer;
  ASSIGN_OR_RETURN(answer.proposer_attestation, rpc::FromProto(message.proposer_attestation()));
  answer.time_ms = static_cast<int64_t>(message.time_ms());
  answer.kept = message.kept();
  if (form == BlockForm::kHeader && message.has_header()) {
    ASSIGN_OR_RETURN(const BlockHeader header, rpc::FromProto(message.header()));
    answer.block = {.slot = header.slot,
                    .proposer_index = header.proposer_index,
                    .parent_root = header.parent_root,
                    .state_root = header.state_root,
                    .body = {}};
    answer.body_root = header.body_root;
    answer.kept = true;
    answer.vote_count = message.vote_count();
    return answer;
  }
  if (!message.has_block()) return absl::InvalidArgumentError("block: is missing");
  ASSIGN_OR_RETURN(answer.block, rpc::FromProto(message.block()));
  answer.vote_count = answer.block.body.attestations.size();
  answer.attestation_signatures.reserve(answer.vote_count + 1);
  for (const std::string& bytes : message.attestation_signatures()) {
    ASSIGN_OR_RETURN(const auto signature, rpc::FixedBytesFromProto<SignatureBytes>(bytes, "attestation_signatures"));
    answer.attestation_signatures.push_back(signature);
  }
  return answer;
}

// Decodes all items, in order.
absl::StatusOr<Registry> RegistryFromProto(const v1::GetValidatorsResponse& message) {
  const size_t size = static_cast<size_t>(message.validators_size());
  if (size > kMaxGenesisValidators || size != message.total()) {
    return absl::InvalidArgumentError(absl::StrCat("validators: ", size, " of ", message.total(), ", expected all of ",
                                                   kMaxGenesisValidators, " at most"));
  }
  Registry registry;
  registry.reserve(size);
  for (const v1::ValidatorView& validator : message.validators()) {
    if (validator.index() != registry.size()) {
      return absl::InvalidArgumentError(
          absl::StrCat("validators: index ", validator.index(), " is at position ", registry.size()));
    }
    ASSIGN_OR_RETURN(const auto pubkey, ParseFixedHex<PublicKeyBytes>(validator.pubkey()),
                     absl::InvalidArgumentError(absl::StrCat("pubkey: ", _.message())));
    registry.push_back(pubkey);
  }
  return registry;
}

absl::StatusOr<BlockHeader> HeaderFromProto(const v1::GetBlockResponse& message) {
  const auto parent_root = ParseFixedHex<Root>(message.parent_root());
  const auto state_root = ParseFixedHex<Root>(message.state_root());
  const auto body_root = ParseFixedHex<Root>(message.body_root());
  for (const auto& root : {parent_root, state_root, body_root}) {
    RETURN_IF_ERROR(root.status());
  }
  return BlockHeader{message.slot(), message.proposer_index(), *parent_root, *state_root, *body_root};
}

}  // namespace

absl::Status WireBeaconClient::BadAnswer(const char* method, const absl::Status& status) {
  return absl::InternalError(absl::StrCat("the beacon's answer to ", method, " is malformed: ", status.message()));
}

absl::StatusOr<DutiesAnswer> WireBeaconClient::GetDuties(const std::vector<PublicKeyBytes>& pubkeys, uint64_t slot,
                                                         Timeout timeout) {
  v1::GetDutiesRequest request;
  for (const PublicKeyBytes& pubkey : pubkeys) request.add_pubkeys(rpc::BytesToProto(pubkey));
  request.set_slot(slot);
  v1::GetDutiesResponse response;
  RETURN_IF_ERROR(Call(kDuties, "GetDuties", request, response, timeout));
  ASSIGN_OR_RETURN(DutiesAnswer answer, DutiesFromProto(response), BadAnswer("GetDuties", _));
  return answer;
}

absl::StatusOr<Registry> WireBeaconClient::GetRegistry(Timeout timeout) {
  v1::GetValidatorsRequest request;
  request.set_limit(kMaxGenesisValidators);
  v1::GetValidatorsResponse response;
  RETURN_IF_ERROR(Call(kQueries, "GetValidators", request, response, timeout));
  ASSIGN_OR_RETURN(Registry registry, RegistryFromProto(response), BadAnswer("GetValidators", _));
  return registry;
}

absl::StatusOr<BuiltBlockAnswer> WireBeaconClient::BuildBlock(uint64_t slot, uint64_t proposer_index,
                                                              const Root& genesis_block_root, BlockForm form,
                                                              Timeout timeout) {
  v1::BuildBlockRequest request;
  request.set_header_only(form == BlockForm::kHeader);
  request.set_slot(slot);
  request.set_proposer_index(proposer_index);
  request.set_genesis_block_root(rpc::BytesToProto(genesis_block_root));
  v1::BuildBlockResponse response;
  RETURN_IF_ERROR(Call(kDuties, "BuildBlock", request, response, timeout));
  ASSIGN_OR_RETURN(BuiltBlockAnswer answer, BuiltBlockFromProto(response, form), BadAnswer("BuildBlock", _));
  return answer;
}

absl::StatusOr<VoteDataAnswer> WireBeaconClient::BuildVote(uint64_t slot, const Root& genesis_block_root,
                                                           Timeout timeout) {
  v1::BuildVoteRequest request;
  request.set_slot(slot);
  request.set_genesis_block_root(rpc::BytesToProto(genesis_block_root));
  v1::BuildVoteResponse response;
  RETURN_IF_ERROR(Call(kDuties, "BuildVote", request, response, timeout));
  if (!response.has_data()) return BadAnswer("BuildVote", absl::InvalidArgumentError("data: is missing"));
  ASSIGN_OR_RETURN(const AttestationData data, rpc::FromProto(response.data()), BadAnswer("BuildVote", _));
  return VoteDataAnswer{data, static_cast<int64_t>(response.time_ms())};
}

absl::StatusOr<SubmitResult> WireBeaconClient::SubmitBlock(const SignedBlockWithAttestation& block, Timeout timeout) {
  v1::SubmitBlockRequest request;
  *request.mutable_block() = rpc::ToProto(block);
  return Submit(request, timeout);
}

absl::StatusOr<SubmitResult> WireBeaconClient::SubmitKeptBlock(const Root& root, const SignatureBytes& signature,
                                                               Timeout timeout) {
  v1::SubmitBlockRequest request;
  request.mutable_kept()->set_block_root(rpc::BytesToProto(root));
  request.mutable_kept()->set_signature(rpc::BytesToProto(signature));
  return Submit(request, timeout);
}

absl::StatusOr<SubmitResult> WireBeaconClient::Submit(const v1::SubmitBlockRequest& request, Timeout timeout) {
  v1::SubmitBlockResponse response;
  RETURN_IF_ERROR(Call(kDuties, "SubmitBlock", request, response, timeout));
  ASSIGN_OR_RETURN(SubmitResult result, SubmitResultFromProto(response.result()), BadAnswer("SubmitBlock", _));
  return result;
}

absl::StatusOr<std::vector<SubmitResult>> WireBeaconClient::SubmitVotes(const std::vector<SignedAttestation>& votes,
                                                                        Timeout timeout) {
  v1::SubmitVotesRequest request;
  for (const SignedAttestation& vote : votes) *request.add_votes() = rpc::ToProto(vote);
  v1::SubmitVotesResponse response;
  RETURN_IF_ERROR(Call(kDuties, "SubmitVotes", request, response, timeout));
  std::vector<SubmitResult> results;
  for (const v1::SubmitResult& message : response.results()) {
    ASSIGN_OR_RETURN(SubmitResult result, SubmitResultFromProto(message), BadAnswer("SubmitVotes", _));
    results.push_back(std::move(result));
  }
  return results;
}

absl::StatusOr<std::vector<Liveness>> WireBeaconClient::GetLiveness(const LivenessQuery& query, Timeout timeout) {
  v1::GetLivenessRequest request;
  request.mutable_indices()->Add(query.indices.begin(), query.indices.end());
  request.set_from_slot(query.from_slot);
  request.set_show_votes(true);
  for (const Root& root : query.known_roots) request.add_known_roots(rpc::BytesToProto(root));
  v1::GetLivenessResponse response;
  RETURN_IF_ERROR(Call(kDuties, "GetLiveness", request, response, timeout));
  std::vector<Liveness> answer;
  for (const v1::ValidatorLiveness& validator : response.validators()) {
    Liveness& liveness = answer.emplace_back(Liveness{validator.live(), validator.latest_vote_slot(), nullptr});
    if (!validator.has_vote()) continue;
    ASSIGN_OR_RETURN(SignedAttestation vote, rpc::FromProto(validator.vote()), BadAnswer("GetLiveness", _));
    liveness.vote = std::make_shared<const SignedAttestation>(std::move(vote));
  }
  return answer;
}

absl::StatusOr<uint64_t> WireBeaconClient::GetBlockSlot(const Root& root, Timeout timeout) {
  v1::GetBlockRequest request;
  request.mutable_block()->set_root(ToHex(root.span()));
  request.set_without_votes(true);
  v1::GetBlockResponse response;
  RETURN_IF_ERROR(Call(kQueries, "GetBlock", request, response, timeout));
  ASSIGN_OR_RETURN(const BlockHeader header, HeaderFromProto(response), BadAnswer("GetBlock", _));
  // The fields must hash to the root, so only a beacon that knows the block can return them.
  if (ssz::HashTreeRoot(header) != root) {
    return BadAnswer("GetBlock", absl::InvalidArgumentError("the answer is not the block with the requested root"));
  }
  return header.slot;
}

}  // namespace lean::validator
