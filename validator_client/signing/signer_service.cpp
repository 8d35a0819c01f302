#include "validator_client/signing/signer_service.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/bytes/bytes.h"
#include "common/rpc/server/raw_service.h"
#include "common/rpc/wire/convert.h"
#include "common/rpc/wire/status.h"
#include "common/ssz/ssz.h"
#include "common/status/status_macros.h"
#include "lean/v1/signer.grpc.pb.h"
#include "validator_client/signing/duty_checks.h"

namespace lean::validator {
namespace {

constexpr int kMaxVotes = 4096;

constexpr char kUnknownKey[] = "UNKNOWN_KEY";
constexpr char kInvalidMessage[] = "INVALID_MESSAGE";
constexpr char kKeyNotReady[] = "KEY_NOT_READY";
constexpr char kTooFarAhead[] = "TOO_FAR_AHEAD";
constexpr char kRecords[] = "RECORDS";

absl::Status Refusal(absl::string_view reason, absl::string_view message) {
  return rpc::MakeError(absl::StatusCode::kFailedPrecondition, reason, message);
}

void Refuse(const absl::Status& status, absl::string_view reason, v1::SignResult& result) {
  result.set_reason(std::string(reason));
  result.set_message(std::string(status.message()));
}

int64_t SteadyMs(const Clock& clock) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(clock.Steady().time_since_epoch()).count();
}

absl::StatusOr<PublicKeyBytes> PubkeyOf(const std::string& bytes, absl::string_view field) {
  return rpc::FixedBytesFromProto<PublicKeyBytes>(bytes, field);
}

// A call waits for the disk of the records and for signatures, which use other threads.
constexpr rpc::PoolOptions kPool{.threads = 2, .waiting_calls = 64};

// Thread-safe. `requests` and the dispatcher must outlive the service.
class GrpcSignerService final : public rpc::RawService<v1::Signer> {
 public:
  GrpcSignerService(const SignRequests& requests, rpc::Dispatcher& dispatcher)
      : RawService(dispatcher, Role::kValidator) {
    Handle(requests, &SignRequests::ListKeys);
    Handle(requests, &SignRequests::SignVotes);
    Handle(requests, &SignRequests::SignBlock);
  }
};

}  // namespace

SignRequests::SignRequests(Signer& signer, SigningRecords& records, const Clock& clock, SlotClock slots,
                           uint64_t first_slot, std::shared_ptr<spdlog::logger> log)
    : signer_(signer),
      records_(records),
      clock_(clock),
      slots_(slots),
      log_(std::move(log)),
      first_slot_(first_slot),
      anchor_ms_(clock.WallMs() - SteadyMs(clock)) {}

absl::StatusOr<v1::ListKeysResponse> SignRequests::ListKeys(const v1::ListKeysRequest&) const {
  v1::ListKeysResponse response;
  const int64_t now_ms = clock_.WallMs();
  const Now now = NowAt(now_ms);
  response.set_time_ms(static_cast<uint64_t>(std::max<int64_t>(now_ms, 0)));
  response.set_current_slot(now.slot);
  response.set_first_slot(now.first_slot);
  const KeySetPtr keys = signer_.keys();
  for (const ValidatorKey& key : keys->all()) {
    v1::SignerKey& listed = *response.add_keys();
    const SlotRange active = key.key->active_slots();
    listed.set_pubkey(rpc::BytesToProto(key.key->pubkey()));
    listed.set_validator_index(key.index);
    listed.set_first_slot(active.first);
    listed.set_last_slot(active.end - 1);
    listed.set_ready(key.key->prepared_slots().Contains(static_cast<uint64_t>(std::max<int64_t>(now.slot, 0))));
    listed.set_xmss_log_lifetime(key.key->log_lifetime());
    ASSIGN_OR_RETURN(const auto highest, records_.HighestSlot(key.key->pubkey()));
    if (highest.has_value()) listed.set_highest_signed_slot(*highest);
  }
  return response;
}

absl::StatusOr<v1::SignVotesResponse> SignRequests::SignVotes(const v1::SignVotesRequest& request) const {
  if (request.votes_size() < 1 || request.votes_size() > kMaxVotes) {
    return rpc::MalformedRequest(absl::StrCat("votes: ", request.votes_size(), ", expected 1 to ", kMaxVotes));
  }
  const uint64_t slot = request.slot();
  std::vector<Attestation> votes;
  std::vector<v1::SignResult> results(static_cast<size_t>(request.votes_size()));
  for (int i = 0; i < request.votes_size(); ++i) {
    const v1::VoteToSign& item = request.votes(i);
    const std::string field = absl::StrCat("votes[", i, "].");
    ASSIGN_OR_RETURN(const auto pubkey, PubkeyOf(item.pubkey(), absl::StrCat(field, "pubkey")));
    if (!item.has_attestation()) return rpc::MalformedRequest(absl::StrCat(field, "attestation: missing"));
    ASSIGN_OR_RETURN(const auto vote, rpc::FromProto(item.attestation()),
                     rpc::MalformedRequest(absl::StrCat(field, "attestation.", _.message())));
    if (absl::Status status = CheckVote(pubkey, slot, vote); !status.ok()) {
      Refuse(status, rpc::ReasonOf(status), results[static_cast<size_t>(i)]);
    }
    votes.push_back(vote);
  }
  RETURN_IF_ERROR(CheckSlot(slot));
  Sign(slot, votes, results);
  Log("votes", slot, results);
  v1::SignVotesResponse response;
  for (v1::SignResult& result : results) *response.add_results() = std::move(result);
  return response;
}

absl::StatusOr<v1::SignBlockResponse> SignRequests::SignBlock(const v1::SignBlockRequest& request) const {
  ASSIGN_OR_RETURN(const auto pubkey, PubkeyOf(request.pubkey(), "pubkey"));
  if (!request.has_block()) return rpc::MalformedRequest("block: missing");
  if (!request.has_proposer_attestation()) return rpc::MalformedRequest("proposer_attestation: missing");
  ASSIGN_OR_RETURN(const auto block, rpc::FromProto(request.block()),
                   rpc::MalformedRequest(absl::StrCat("block.", _.message())));
  ASSIGN_OR_RETURN(const auto vote, rpc::FromProto(request.proposer_attestation()),
                   rpc::MalformedRequest(absl::StrCat("proposer_attestation.", _.message())));

  const uint64_t slot = block.slot;
  std::vector<v1::SignResult> results(1);
  if (absl::Status status = CheckVote(pubkey, slot, vote); !status.ok()) {
    Refuse(status, rpc::ReasonOf(status), results[0]);
  } else if (absl::Status tied = CheckProposerVote(HeaderOf(block, ssz::HashTreeRoot(block.body)), vote); !tied.ok()) {
    Refuse(tied, kInvalidMessage, results[0]);
  }
  RETURN_IF_ERROR(CheckSlot(slot));
  Sign(slot, {vote}, results);
  Log("block", slot, results);
  v1::SignBlockResponse response;
  *response.mutable_result() = std::move(results[0]);
  return response;
}

SignRequests::Now SignRequests::NowAt(int64_t wall_ms) const {
  const int64_t slot = slots_.At(wall_ms).slot;
  const uint64_t next = static_cast<uint64_t>(std::max<int64_t>(slot + 1, 0));
  const int64_t anchor_ms = wall_ms - SteadyMs(clock_);
  MutexLock lock(mutex_);
  const bool jumped_ahead = anchor_ms - anchor_ms_ >= static_cast<int64_t>(slots_.slot_duration_ms());
  if (jumped_ahead || next < first_slot_) first_slot_ = next;
  anchor_ms_ = anchor_ms;
  return {.slot = slot, .first_slot = first_slot_};
}

absl::Status SignRequests::CheckSlot(uint64_t slot) const {
  const Now now = NowAt(clock_.WallMs());
  if (now.slot < 0 || slot != static_cast<uint64_t>(now.slot)) {
    return rpc::MakeError(
        absl::StatusCode::kFailedPrecondition, "WRONG_SLOT",
        absl::StrCat("a signature for slot ", slot, " was asked for, the signer's clock is in slot ", now.slot),
        {{"requested", absl::StrCat(slot)}, {"current", absl::StrCat(now.slot)}});
  }
  if (slot < now.first_slot) {
    return rpc::MakeError(absl::StatusCode::kFailedPrecondition, "JUST_STARTED",
                          absl::StrCat("the signer started in slot ", slot,
                                       ", or its clock was set ahead to it, and another may have signed in it"),
                          {{"first_slot", absl::StrCat(now.first_slot)}});
  }
  return absl::OkStatus();
}

absl::Status SignRequests::CheckVote(const PublicKeyBytes& pubkey, uint64_t slot, const Attestation& vote) const {
  const KeySetPtr keys = signer_.keys();
  const ValidatorKey* key = keys->Find(pubkey);
  if (key == nullptr) {
    return Refusal(kUnknownKey, absl::StrCat("this signer does not have the key ", ShortHex(pubkey.span())));
  }
  if (key->index != vote.validator_id) {
    return Refusal(kInvalidMessage,
                   absl::StrCat("the key ", ShortHex(pubkey.span()), " is not that of validator ", vote.validator_id));
  }
  RETURN_IF_ERROR(CheckVoteData(slot, vote.data), Refusal(kInvalidMessage, _.message()));
  return absl::OkStatus();
}

void SignRequests::Sign(uint64_t slot, const std::vector<Attestation>& votes,
                        std::vector<v1::SignResult>& results) const {
  const KeySetPtr keys = signer_.keys();
  std::vector<Attestation> signable;
  std::vector<size_t> places;
  for (size_t i = 0; i < votes.size(); ++i) {
    if (!results[i].reason().empty()) continue;
    const ValidatorKey& key = *keys->Find(votes[i].validator_id);
    if (absl::Status status = Signer::CheckActive(key, slot); !status.ok()) {
      Refuse(status, kKeyNotReady, results[i]);
      continue;
    }
    if (absl::Status status = signer_.CheckLimit(key, slot); !status.ok()) {
      Refuse(status, kTooFarAhead, results[i]);
      continue;
    }
    signable.push_back(votes[i]);
    places.push_back(i);
  }
  const std::vector<absl::StatusOr<SignatureBytes>> signatures = signer_.Sign(slot, signable);
  for (size_t j = 0; j < places.size(); ++j) {
    if (signatures[j].ok()) {
      results[places[j]].set_signature(rpc::BytesToProto(*signatures[j]));
    } else {
      Refuse(signatures[j].status(), kRecords, results[places[j]]);
    }
  }
}

void SignRequests::Log(const char* what, uint64_t slot, const std::vector<v1::SignResult>& results) const {
  const auto refused = std::find_if(results.begin(), results.end(),
                                    [](const v1::SignResult& result) { return !result.reason().empty(); });
  const auto signed_count = std::count_if(results.begin(), results.end(),
                                          [](const v1::SignResult& result) { return result.reason().empty(); });
  if (refused == results.end()) {
    log_->info("signed what={} slot={} signatures={}", what, slot, signed_count);
  } else {
    log_->error("signed what={} slot={} signatures={} refused={} first_reason={} message=\"{}\"", what, slot,
                signed_count, results.size() - static_cast<size_t>(signed_count), refused->reason(),
                refused->message());
  }
}

absl::Status CheckSignerAddress(const rpc::ServerOptions& options) {
  ASSIGN_OR_RETURN(const auto address, rpc::ParseAddress(options.address));
  if (address.IsUnix() || !options.tls.client_ca.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "a signer does not listen on ", options.address,
      " without certificates, because every client that reaches it can use its keys: use unix:PATH, or --tls-cert, "
      "--tls-key and --tls-client-ca"));
}

absl::StatusOr<std::unique_ptr<rpc::PooledServer>> StartSignerServer(const SignRequests& requests,
                                                                     const rpc::ServerOptions& options) {
  RETURN_IF_ERROR(CheckSignerAddress(options));
  return rpc::PooledServer::Start(
      kPool, options, v1::Signer::service_full_name(),
      [&requests](rpc::Dispatcher& dispatcher) { return std::make_unique<GrpcSignerService>(requests, dispatcher); });
}

}  // namespace lean::validator
