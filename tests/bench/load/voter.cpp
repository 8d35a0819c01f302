#include "tests/bench/load/voter.h"

#include <time.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/concurrency/thread_priority.h"
#include "common/containers/attestation.h"
#include "common/crypto/signature_scheme.h"
#include "common/rpc/client/channel.h"
#include "common/rpc/wire/convert.h"
#include "common/rpc/wire/status.h"
#include "common/ssz/ssz.h"
#include "common/status/status_macros.h"
#include "grpcpp/grpcpp.h"
#include "validator_client/keys/keystores.h"

namespace lean::load {
namespace {

constexpr std::chrono::seconds kQuestionDeadline{10};
constexpr size_t kCallsOfSlot = 64;
// Signing must not take the processor from the beacon, which is not on the machine of its clients.
constexpr int kSigningNice = 19;

// As beacon/services/checks/signature_verifier.h.
constexpr size_t kVerifiedTogether = 64;

// Processor time of this thread.
double ThreadSeconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

int64_t WallMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

Time Chain::TimeOf(int64_t slot, uint32_t interval) const {
  return std::chrono::steady_clock::now() + std::chrono::milliseconds(slots.StartMs(slot, interval) - WallMs());
}

int64_t Chain::CurrentSlot() const { return slots.At(WallMs()).slot; }

absl::StatusOr<Chain> AskForChain(const std::string& beacon) {
  ASSIGN_OR_RETURN(const auto channel, rpc::MakeChannel(beacon));
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  context.set_deadline(std::chrono::system_clock::now() + kQuestionDeadline);
  v1::GetDutiesResponse response;
  const auto stub = v1::DutyService::NewStub(channel);
  RETURN_IF_ERROR(rpc::FromGrpcStatus(stub->GetDuties(&context, v1::GetDutiesRequest(), &response)));
  return Chain{.genesis_block_root = response.genesis_block_root(),
               .slots = SlotClock(response.genesis_time(), response.slot_duration_ms())};
}

size_t CallsOfSlot(size_t clients, size_t votes) { return std::min(votes, std::max(clients, kCallsOfSlot)); }

absl::StatusOr<std::unique_ptr<Voter>> Voter::Open(const std::string& beacon, const std::string& keystore_list,
                                                   Chain chain) {
  const auto no_password = []() -> absl::StatusOr<const validator::Password*> {
    return absl::FailedPreconditionError("the keys are encrypted; plain ones are needed");
  };
  ASSIGN_OR_RETURN(validator::Keystores keystores, validator::OpenKeystores(keystore_list, no_password, 1));
  const auto slot = static_cast<uint64_t>(std::max<int64_t>(chain.CurrentSlot(), 0));
  for (const validator::ValidatorKey& key : keystores.keys) RETURN_IF_ERROR(key.key->Prepare(slot, [](double) {}));
  ASSIGN_OR_RETURN(const auto channel, rpc::MakeChannel(beacon));
  return std::unique_ptr<Voter>(
      new Voter(std::move(keystores.keys), std::move(chain), v1::DutyService::NewStub(channel)));
}

absl::StatusOr<v1::AttestationData> Voter::AskWhatToSign(uint64_t slot) {
  v1::BuildVoteRequest request;
  request.set_slot(slot);
  request.set_genesis_block_root(chain_.genesis_block_root);
  v1::BuildVoteResponse response;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kQuestionDeadline);
  RETURN_IF_ERROR(rpc::FromGrpcStatus(duties_->BuildVote(&context, request, &response)));
  return std::move(*response.mutable_data());
}

absl::StatusOr<std::vector<v1::SubmitVotesRequest>> Voter::Sign(const v1::AttestationData& data, size_t calls) const {
  std::vector<v1::SubmitVotesRequest> requests(calls);
  Attestation vote;
  ASSIGN_OR_RETURN(vote.data, rpc::FromProto(data));
  for (size_t i = 0; i < keys_.size(); ++i) {
    vote.validator_id = keys_[i].index;
    ASSIGN_OR_RETURN(const SignatureBytes signature, keys_[i].key->Sign(vote.data.slot, ssz::HashTreeRoot(vote)));
    v1::SignedAttestation& added = *requests[i * calls / keys_.size()].add_votes();
    added.mutable_attestation()->set_validator_index(vote.validator_id);
    *added.mutable_attestation()->mutable_data() = data;
    added.set_signature(rpc::BytesToProto(signature));
  }
  return requests;
}

absl::StatusOr<double> Voter::VerificationAlone() const {
  ASSIGN_OR_RETURN(const auto scheme,
                   crypto::SignatureScheme::Create({.xmss_log_lifetime = keys_[0].key->log_lifetime()}));
  const auto slot = static_cast<uint64_t>(std::max<int64_t>(chain_.CurrentSlot(), 0));
  std::vector<SignatureBytes> signatures;
  std::vector<crypto::VerificationItem> items;
  for (const validator::ValidatorKey& key : keys_) {
    ASSIGN_OR_RETURN(signatures.emplace_back(), key.key->Sign(slot, Root()));
  }
  for (size_t i = 0; i < keys_.size(); ++i) {
    items.push_back(
        {.public_key = &keys_[i].key->pubkey(), .slot = slot, .message = Root(), .signature = &signatures[i]});
  }
  const double before = ThreadSeconds();
  for (size_t i = 0; i < items.size(); i += kVerifiedTogether) {
    for (const absl::Status& status : scheme.VerifyBatch(absl::MakeSpan(items).subspan(i, kVerifiedTogether))) {
      RETURN_IF_ERROR(status);
    }
  }
  return ThreadSeconds() - before;
}

absl::StatusOr<Voting> Voter::Vote(Clients& clients, int64_t first, uint64_t slots) {
  Voting voting;
  const size_t calls = CallsOfSlot(clients.count(), votes());
  const Duration interval = std::chrono::milliseconds(chain_.slots.interval_duration_ms());
  for (int64_t slot = first; slot < first + static_cast<int64_t>(slots); ++slot) {
    const Time due = chain_.TimeOf(slot, 1);
    std::this_thread::sleep_until(due);
    const absl::StatusOr<v1::AttestationData> data = AskWhatToSign(static_cast<uint64_t>(slot));
    if (!data.ok()) {
      ++voting.missed[absl::StrCat("no vote: ", rpc::ReasonOf(data.status()))];
      continue;
    }
    absl::StatusOr<std::vector<v1::SubmitVotesRequest>> requests;
    std::thread([&] {
      LowerThreadPriority(kSigningNice);
      requests = Sign(*data, calls);
    }).join();
    RETURN_IF_ERROR(requests.status());
    const Time begin = std::max(due + interval / 2, std::chrono::steady_clock::now());
    for (size_t i = 0; i < calls; ++i) {
      const Time its_time = begin + interval / 4 * static_cast<int64_t>(i) / static_cast<int64_t>(calls);
      std::this_thread::sleep_until(its_time);
      clients.Send(i % clients.count(), its_time, (*requests)[i]);
    }
    clients.Wait();
    voting.under_way.push_back({.begin = begin, .end = std::chrono::steady_clock::now()});
  }
  return voting;
}

}  // namespace lean::load
