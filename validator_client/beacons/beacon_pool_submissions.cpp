// The part of BeaconPool that submits what is signed.
#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "common/status/status_macros.h"
#include "validator_client/beacons/beacon_calls.h"
#include "validator_client/beacons/beacon_client.h"
#include "validator_client/beacons/beacon_pool.h"

namespace lean::validator {
namespace {

// The number of beacons that get an item at once, since one of them may suppress it.
constexpr size_t kAtOnce = 2;

absl::StatusOr<std::vector<SubmitResult>> CheckCount(absl::StatusOr<std::vector<SubmitResult>> results, size_t count) {
  if (!results.ok() || results->size() == count) return results;
  return absl::FailedPreconditionError(
      absl::StrFormat("the beacon answered for %u votes, %u were submitted", results->size(), count));
}

// The block with all its signatures. InvalidArgument: there are too many.
absl::StatusOr<std::shared_ptr<const SignedBlockWithAttestation>> Assembled(BuiltBlockAnswer answer,
                                                                            const SignatureBytes& signature) {
  SignedBlockWithAttestation block;
  block.message = {.block = std::move(answer.block), .proposer_attestation = answer.proposer_attestation};
  answer.attestation_signatures.push_back(signature);
  ASSIGN_OR_RETURN(block.signature, BlockSignatures::FromVector(std::move(answer.attestation_signatures)));
  return std::make_shared<const SignedBlockWithAttestation>(std::move(block));
}

}  // namespace

absl::StatusOr<SubmitResult> BeaconPool::SubmitBlock(BuiltBlock block, const SignatureBytes& signature,
                                                     const Remaining& remaining) {
  const size_t builder = block.builder;
  const Checkpoint head = block.answer.proposer_attestation.data.head;  // the block itself
  const BeaconClient* const keeper = block.answer.kept ? &sessions_[builder]->client() : nullptr;
  std::shared_ptr<const SignedBlockWithAttestation> whole;  // null: only the builder has it
  if (!block.answer.body_root.has_value()) {
    ASSIGN_OR_RETURN(whole, Assembled(std::move(block.answer), signature));
  }
  const SubmitCall call = [keeper, head, signature, whole](BeaconClient& client, Timeout timeout) -> Results {
    absl::StatusOr<SubmitResult> result = absl::NotFoundError("the block is with another beacon");
    if (&client == keeper) result = client.SubmitKeptBlock(head.root, signature, timeout);
    if (absl::IsNotFound(result.status()) && whole != nullptr) result = client.SubmitBlock(*whole, timeout);
    RETURN_IF_ERROR(result.status());
    return std::vector<SubmitResult>{*std::move(result)};
  };
  Results results = Submit(call, builder, remaining);
  RETURN_IF_ERROR(results.status());
  // If the block was in time, SettleClaims checks later that it has reached the other beacons.
  if (remaining() > Timeout::zero()) standings_[builder].Claim(head);
  return std::move(results->front());
}

absl::StatusOr<std::vector<SubmitResult>> BeaconPool::SubmitVotes(std::vector<SignedAttestation> votes, size_t builder,
                                                                  const Remaining& remaining) {
  const auto shared = std::make_shared<const std::vector<SignedAttestation>>(std::move(votes));
  const SubmitCall call = [shared](BeaconClient& client, Timeout timeout) -> Results {
    return CheckCount(client.SubmitVotes(*shared, timeout), shared->size());
  };
  return Submit(call, builder, remaining);
}

BeaconPool::Results BeaconPool::Submit(const SubmitCall& call, size_t builder, const Remaining& remaining) {
  std::vector<size_t> order{builder};
  const BeaconOrder others = Order();
  for (const auto& list : {others.good, others.reserve}) {
    std::copy_if(list.begin(), list.end(), std::back_inserter(order), [builder](size_t i) { return i != builder; });
  }
  size_t at_once = std::min(kAtOnce, order.size());
  if (broadcast_) {
    for (size_t i = 0; i < sessions_.size(); ++i) {
      if (sessions_[i]->on_network() && std::find(order.begin(), order.end(), i) == order.end()) order.push_back(i);
    }
    at_once = order.size();
  }
  BeaconErrors errors;
  std::optional<std::vector<SubmitResult>> best;
  for (size_t next = 0; next < order.size(); next += at_once, at_once = 1) {
    const Timeout left = remaining();
    if (next > 0 && left <= Timeout::zero()) break;
    const std::vector<size_t> beacons(order.begin() + static_cast<ptrdiff_t>(next),
                                      order.begin() + static_cast<ptrdiff_t>(next + at_once));
    const Results results =
        SubmitTogether(call, beacons, AttemptTimeout(left, order.size() - next - at_once + 1), errors);
    if (!results.ok()) continue;
    best = best.has_value() ? BetterOf(*std::move(best), *results) : *results;
    if (AllTaken(*best)) break;
  }
  if (best.has_value()) return *std::move(best);
  return Failure(errors);
}

BeaconPool::Results BeaconPool::SubmitTogether(const SubmitCall& call, const std::vector<size_t>& beacons,
                                               Timeout timeout, BeaconErrors& errors) {
  const auto gathering = std::make_shared<Gathering<Results>>(beacons.size());
  for (size_t i = 0; i < beacons.size(); ++i) {
    BeaconClient& client = sessions_[beacons[i]]->client();
    const bool runs =
        run_(beacons[i], [gathering, i, call, timeout, &client] { gathering->Put(i, call(client, timeout)); });
    if (!runs) gathering->Put(i, BeaconIsBusy());
  }
  const auto answers = gathering->Await(absl::FromChrono(timeout), [](const Gathering<Results>::Results& results) {
    return std::any_of(results.begin(), results.end(), [](const std::optional<Results>& result) {
      return result.has_value() && result->ok() && AllTaken(**result);
    });
  });
  std::optional<std::vector<SubmitResult>> best;
  for (size_t i = 0; i < beacons.size(); ++i) {
    if (!answers[i].has_value()) continue;  // it is not waited for any more, and may take it yet
    BeaconSession& session = *sessions_[beacons[i]];
    const Results& results = *answers[i];
    if (!results.ok()) {
      errors.Add(session, results.status());
      if (session.ready().ok()) MarkFailed(session, results.status());
      continue;
    }
    best = best.has_value() ? BetterOf(*std::move(best), *results) : *results;
    if (sessions_.size() > 1 && !AllTaken(*results)) {
      logger_->warn("submission not taken beacon={}: it did not accept all items", session.client().name());
    }
  }
  if (best.has_value()) return *std::move(best);
  return absl::DeadlineExceededError("no beacon took it in time");
}

}  // namespace lean::validator
