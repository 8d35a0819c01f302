#include "validator_client/keys/foreign_votes.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_format.h"
#include "common/log/log_text.h"
#include "common/ssz/ssz.h"
#include "common/status/status_macros.h"

namespace lean::validator {
namespace {

// The limit in proto/lean/v1/validator.proto.
constexpr size_t kMaxKnownRoots = 16'384;

}  // namespace

ForeignVotes::ForeignVotes(Clock& clock, BeaconPool& beacons, Signer& signer, Verify verify,
                           std::shared_ptr<spdlog::logger> logger)
    : clock_(clock), beacons_(beacons), signer_(signer), verify_(std::move(verify)), logger_(std::move(logger)) {}

absl::StatusOr<Sightings> ForeignVotes::Look(const std::vector<ValidatorKey>& keys, uint64_t from_slot,
                                             std::chrono::milliseconds timeout) {
  limit_.LogLeftOut(clock_.Steady(), *logger_);
  LivenessQuery query;
  query.from_slot = from_slot;
  for (const ValidatorKey& key : keys) query.indices.push_back(key.index);
  ASSIGN_OR_RETURN(query.known_roots, signer_.records().SignedRoots(from_slot, kMaxKnownRoots));

  Sightings sightings;
  absl::flat_hash_set<uint64_t> proved;
  std::vector<std::vector<size_t>> claims;  // of each beacon that answered
  for (const LivenessAnswer& answer : beacons_.GetLiveness(query, timeout)) {
    absl::StatusOr<Judged> judged = Judged();
    if (answer.validators.ok()) {
      judged = Judge(keys, from_slot, answer);
      if (absl::IsInternal(judged.status())) return judged.status();
    } else {
      judged = answer.validators.status();
    }
    if (!judged.ok()) {
      Warn("liveness_unknown",
           absl::StrFormat("liveness unknown beacon=%s reason=\"%s\"", answer.beacon, StatusText(judged.status())));
      continue;
    }
    for (ForeignVote& vote : judged->proved) {
      if (proved.insert(vote.key.index).second) sightings.proved.push_back(std::move(vote));
    }
    if (!judged->claimed.empty()) {
      const size_t first = judged->claimed.front();
      Warn("liveness_claim",
           absl::StrFormat("votes claimed and not shown beacon=%s validators=%u first_validator=%u slot=%u: the beacon "
                           "says that another client works with our keys, and proves nothing",
                           answer.beacon, judged->claimed.size(), keys[first].index,
                           (*answer.validators)[first].latest_vote_slot));
    }
    claims.push_back(std::move(judged->claimed));
  }
  sightings.answered = !claims.empty();
  sightings.clear = std::any_of(claims.begin(), claims.end(), [&](const std::vector<size_t>& claimed) {
    return std::all_of(claimed.begin(), claimed.end(), [&](size_t i) { return proved.contains(keys[i].index); });
  });
  return sightings;
}

absl::StatusOr<ForeignVotes::Judged> ForeignVotes::Judge(const std::vector<ValidatorKey>& keys, uint64_t from_slot,
                                                         const LivenessAnswer& answer) const {
  const std::vector<Liveness>& validators = *answer.validators;
  if (validators.size() != keys.size()) {
    return absl::FailedPreconditionError(
        absl::StrFormat("the beacon answered for %u validators, asked for %u", validators.size(), keys.size()));
  }
  Judged judged;
  for (size_t i = 0; i < keys.size(); ++i) {
    if (validators[i].vote != nullptr) {
      const SignedAttestation& vote = *validators[i].vote;
      ASSIGN_OR_RETURN(const bool foreign, IsForeign(keys[i], from_slot, vote));
      if (foreign) {
        judged.proved.push_back({keys[i], vote.message.data.slot, ssz::HashTreeRoot(vote.message), answer.beacon});
        continue;
      }
    }
    ASSIGN_OR_RETURN(const bool claimed, IsUnexplained(keys[i], validators[i]));
    if (claimed) judged.claimed.push_back(i);
  }
  return judged;
}

absl::StatusOr<bool> ForeignVotes::IsForeign(const ValidatorKey& key, uint64_t from_slot,
                                             const SignedAttestation& vote) const {
  const uint64_t slot = vote.message.data.slot;
  if (vote.message.validator_id != key.index || slot < from_slot) {
    return absl::FailedPreconditionError(
        absl::StrFormat("it shows a vote of validator %u for slot %u where one of validator %u for slot %u or later "
                        "was asked for",
                        vote.message.validator_id, slot, key.index, from_slot));
  }
  const Root root = ssz::HashTreeRoot(vote.message);
  ASSIGN_OR_RETURN(const bool ours, signer_.records().MayHaveSigned({key.key->pubkey(), slot, root}),
                   absl::InternalError(_.message()));
  if (ours) return false;
  if (verify_(key.key->pubkey(), vote, root)) return true;
  return absl::FailedPreconditionError(
      absl::StrFormat("it shows a vote of validator %u for slot %u whose signature is not its key's", key.index, slot));
}

absl::StatusOr<bool> ForeignVotes::IsUnexplained(const ValidatorKey& key, const Liveness& liveness) const {
  if (!liveness.live) return false;
  ASSIGN_OR_RETURN(const std::optional<uint64_t> highest, signer_.HighestSlot(key), absl::InternalError(_.message()));
  return !highest.has_value() || liveness.latest_vote_slot > *highest;
}

void ForeignVotes::Warn(const char* cause, const std::string& text) {
  if (limit_.Admit(cause, clock_.Steady())) logger_->warn("{}", text);
}

}  // namespace lean::validator
