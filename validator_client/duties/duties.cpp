#include "validator_client/duties/duties.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/bytes/bytes.h"
#include "common/log/log_text.h"
#include "common/ssz/ssz.h"
#include "common/status/status_macros.h"
#include "validator_client/signing/duty_checks.h"

namespace lean::validator {
namespace {

using std::chrono::milliseconds;

constexpr char kBlock[] = "block";
constexpr char kVotes[] = "votes";
constexpr char kFailed[] = "failed";

double Seconds(int64_t ms) { return static_cast<double>(ms) / 1000; }

// Measures the stages of a duty, in milliseconds.
class Stopwatch {
 public:
  explicit Stopwatch(const SlotTimer& timer) : timer_(timer), last_ms_(timer.NowMs()) {}

  // The time since the last call.
  int64_t Lap() {
    const int64_t now_ms = timer_.NowMs();
    return now_ms - std::exchange(last_ms_, now_ms);
  }

 private:
  const SlotTimer& timer_;
  int64_t last_ms_;
};

const char* SubmitText(SubmitResult::Status status) {
  switch (status) {
    case SubmitResult::Status::kAccepted:
      return "accepted";
    case SubmitResult::Status::kAlreadyKnown:
      return "already_known";
    case SubmitResult::Status::kQueued:
      return "queued";
    case SubmitResult::Status::kRefused:
      return "refused";
  }
  return "unknown";
}

// The name of the beacon that built the item.
const std::string& BeaconName(const BeaconPool& beacons, size_t builder) {
  return beacons.session(builder).client().name();
}

absl::Status SubmitFailed(const absl::Status& status) {
  return absl::Status(status.code(), absl::StrFormat("submit: %s", status.message()));
}

}  // namespace

Duties::Duties(BeaconPool& beacons, Signer& signer, const SlotTimer& timer, uint64_t first_slot,
               ValidatorMetrics& metrics, std::shared_ptr<spdlog::logger> logger)
    : beacons_(beacons),
      signer_(signer),
      timer_(timer),
      first_slot_(first_slot),
      metrics_(metrics),
      logger_(std::move(logger)) {}

uint64_t Duties::ProposerOf(uint64_t slot) const { return slot % beacons_.network()->validator_count; }

bool Duties::HasProposal(uint64_t slot) const {
  // Slot 0 has the genesis block.
  return slot > 0 && slot >= first_slot_ && signer_.keys()->Find(ProposerOf(slot)) != nullptr;
}

void Duties::FollowTimeBack(uint64_t slot) { first_slot_ = std::min(first_slot_, slot + 1); }

void Duties::Propose(uint64_t slot) {
  FollowTimeBack(slot);
  if (!HasProposal(slot)) return;
  const KeySetPtr keys = signer_.keys();
  const ValidatorKey* proposer = keys->Find(ProposerOf(slot));
  if (proposer == nullptr) return;  // removed this very moment
  const ValidatorKey& key = *proposer;
  metrics_.late_seconds.Observe(Seconds(SinceMs(slot, 0)), {{"duty", kBlock}});
  if (const absl::Status status = TryPropose(slot, key); !status.ok()) {
    metrics_.blocks.Add({{"result", kFailed}});
    logger_->error("block failed slot={} validator={} reason=\"{}\"", slot, key.index, StatusText(status));
  }
}

absl::Status Duties::TryPropose(uint64_t slot, const ValidatorKey& key) {
  RETURN_IF_ERROR(CheckSignable(key, slot));
  RETURN_IF_ERROR(beacons_.ready());
  Stopwatch watch(timer_);
  const auto check = [&](const BeaconSession& beacon, const BuiltBlockAnswer& answer) -> absl::Status {
    RETURN_IF_ERROR(beacon.CheckTime(answer.time_ms, timer_.NowMs()));
    if (answer.body_root.has_value()) {
      return CheckBuiltHeader(slot, key.index, answer.Header(), answer.proposer_attestation);
    }
    return CheckBuiltBlock(slot, key.index, answer.block, answer.attestation_signatures.size(),
                           answer.proposer_attestation);
  };
  ASSIGN_OR_RETURN(BuiltBlock block, beacons_.BuildBlock(slot, key.index, Until(slot, 1), check));
  const Attestation vote = block.answer.proposer_attestation;
  const size_t builder = block.builder;
  const size_t votes = block.answer.vote_count;
  const int64_t build_ms = watch.Lap();
  RETURN_IF_ERROR(CheckSlotIsNow(slot));

  const std::vector<absl::StatusOr<SignatureBytes>> signatures = signer_.Sign(slot, {vote});
  const absl::StatusOr<SignatureBytes>& signature = signatures.front();
  if (!signature.ok()) {
    metrics_.signatures_refused.Add({{"duty", kBlock}});
    return signature.status();
  }
  CountSigned(vote);
  const int64_t sign_ms = watch.Lap();
  MeasureSigning(1, sign_ms);

  const milliseconds grace(timer_.slots().interval_duration_ms() / 2);
  ASSIGN_OR_RETURN(const SubmitResult result,
                   beacons_.SubmitBlock(std::move(block), *signature, SubmitUntil(slot, 1, grace, sign_ms)),
                   SubmitFailed(_));
  if (result.status == SubmitResult::Status::kRefused) {
    return absl::FailedPreconditionError(
        absl::StrFormat("the beacon refused the block: %s %s", result.reason, result.message));
  }
  const int64_t submit_ms = watch.Lap();
  Measure(kBlock, block_times_, build_ms, sign_ms, submit_ms, SinceMs(slot, 0));
  metrics_.blocks.Add({{"result", SubmitText(result.status)}});
  logger_->info(
      "block proposed slot={} root={} validator={} votes={} result={} build_ms={} sign_ms={} submit_ms={} "
      "beacon={}",
      slot, ShortHex(vote.data.head.root.span()), key.index, votes, SubmitText(result.status), build_ms, sign_ms,
      submit_ms, BeaconName(beacons_, builder));
  return absl::OkStatus();
}

void Duties::Vote(uint64_t slot) {
  FollowTimeBack(slot);
  if (slot < first_slot_) {
    logger_->info("votes skipped slot={} reason=\"this process began to work in it, and another may have signed\"",
                  slot);
    return;
  }
  lines_.LogLeftOut(LineLimit::Time(milliseconds(timer_.NowMs())), *logger_);
  const KeySetPtr keys = signer_.keys();
  const std::vector<const ValidatorKey*> voters = VotersOf(*keys, slot);
  if (voters.empty()) return;
  metrics_.late_seconds.Observe(Seconds(SinceMs(slot, 1)), {{"duty", kVotes}});
  if (const absl::Status status = TryVote(slot, voters); !status.ok()) {
    metrics_.votes.Add({{"result", kFailed}}, static_cast<double>(voters.size()));
    logger_->error("votes failed slot={} votes={} reason=\"{}\"", slot, voters.size(), StatusText(status));
  }
  if (slot % kTimesEverySlots == 0) LogTimes();
}

std::vector<const ValidatorKey*> Duties::VotersOf(const KeySet& keys, uint64_t slot) {
  std::vector<const ValidatorKey*> voters;
  for (const ValidatorKey& key : keys.all()) {
    const absl::StatusOr<bool> used = signer_.LeafUsed(key, slot);
    if (used.ok() && *used) continue;
    const absl::Status status = used.ok() ? CheckSignable(key, slot) : used.status();
    if (status.ok()) {
      voters.push_back(&key);
    } else {
      LogRefused("vote_refused", "vote refused", slot, key.index, StatusText(status));
    }
  }
  return voters;
}

absl::Status Duties::CheckSignable(const ValidatorKey& key, uint64_t slot) {
  absl::Status status = signer_.CheckLimit(key, slot);
  return status.ok() ? Signer::CheckActive(key, slot) : status;
}

absl::Status Duties::TryVote(uint64_t slot, const std::vector<const ValidatorKey*>& voters) {
  RETURN_IF_ERROR(beacons_.ready());
  Stopwatch watch(timer_);
  const auto check = [&](const BeaconSession& beacon, const VoteDataAnswer& answer) -> absl::Status {
    RETURN_IF_ERROR(beacon.CheckTime(answer.time_ms, timer_.NowMs()));
    return CheckVoteData(slot, answer.data);
  };
  ASSIGN_OR_RETURN(const BuiltVote built, beacons_.BuildVote(slot, Until(slot, 2), check));
  const AttestationData& data = built.data;
  const size_t builder = built.builder;
  const int64_t build_ms = watch.Lap();
  RETURN_IF_ERROR(CheckSlotIsNow(slot));

  std::vector<Attestation> unsigned_votes;
  unsigned_votes.reserve(voters.size());
  for (const ValidatorKey* key : voters) unsigned_votes.push_back(Attestation{key->index, data});
  const std::vector<SignedAttestation> votes = SignVotes(slot, unsigned_votes);
  if (votes.empty()) return absl::FailedPreconditionError("none of them may be signed");
  const int64_t sign_ms = watch.Lap();
  MeasureSigning(votes.size(), sign_ms);
  metrics_.production_seconds.Observe(Seconds(build_ms + sign_ms));

  ASSIGN_OR_RETURN(const auto results,
                   beacons_.SubmitVotes(votes, builder, SubmitUntil(slot, 3, milliseconds(0), sign_ms)),
                   SubmitFailed(_));
  const int64_t submit_ms = watch.Lap();
  Measure(kVotes, votes_times_, build_ms, sign_ms, submit_ms, SinceMs(slot, 1));
  for (const SubmitResult& result : results) metrics_.votes.Add({{"result", SubmitText(result.status)}});
  LogRefusals(slot, votes, results);
  const auto count = [&results](SubmitResult::Status status) {
    return std::count_if(results.begin(), results.end(),
                         [status](const SubmitResult& result) { return result.status == status; });
  };
  logger_->info(
      "votes submitted slot={} head={} target={} source={} votes={} accepted={} already_known={} queued={} refused={} "
      "build_ms={} sign_ms={} submit_ms={} repeated_targets={} surrounding={} beacon={}",
      slot, ShortHex(data.head.root.span()), data.target.slot, data.source.slot, votes.size(),
      count(SubmitResult::Status::kAccepted), count(SubmitResult::Status::kAlreadyKnown),
      count(SubmitResult::Status::kQueued), count(SubmitResult::Status::kRefused), build_ms, sign_ms, submit_ms,
      statistics_.counts().repeated_targets, statistics_.counts().surrounding, BeaconName(beacons_, builder));
  return absl::OkStatus();
}

std::vector<SignedAttestation> Duties::SignVotes(uint64_t slot, const std::vector<Attestation>& votes) {
  const std::vector<absl::StatusOr<SignatureBytes>> signatures = signer_.Sign(slot, votes);
  std::vector<SignedAttestation> signed_votes;
  signed_votes.reserve(votes.size());
  for (size_t i = 0; i < votes.size(); ++i) {
    if (signatures[i].ok()) {
      signed_votes.push_back(SignedAttestation{votes[i], *signatures[i]});
      CountSigned(votes[i]);
    } else {
      metrics_.signatures_refused.Add({{"duty", kVotes}});
      LogRefused("vote_not_signed", "vote refused", slot, votes[i].validator_id, StatusText(signatures[i].status()));
    }
  }
  return signed_votes;
}

void Duties::CountSigned(const Attestation& vote) {
  const VoteStatistics::Counts before = statistics_.counts();
  const VoteStatistics::Counts& after = statistics_.Add(vote);
  metrics_.repeated_targets.Add({}, static_cast<double>(after.repeated_targets - before.repeated_targets));
  metrics_.surrounding_votes.Add({}, static_cast<double>(after.surrounding - before.surrounding));
}

void Duties::Measure(const char* duty, DutyTimes& times, int64_t build_ms, int64_t sign_ms, int64_t submit_ms,
                     int64_t done_ms) {
  times.Add(build_ms, sign_ms, submit_ms, done_ms);
  metrics_.stage_seconds.Observe(Seconds(build_ms), {{"duty", duty}, {"stage", "build"}});
  metrics_.stage_seconds.Observe(Seconds(sign_ms), {{"duty", duty}, {"stage", "sign"}});
  metrics_.stage_seconds.Observe(Seconds(submit_ms), {{"duty", duty}, {"stage", "submit"}});
  metrics_.done_seconds.Observe(Seconds(done_ms), {{"duty", duty}});
}

void Duties::MeasureSigning(size_t votes, int64_t sign_ms) {
  metrics_.signatures.Add({}, static_cast<double>(votes));
  metrics_.signing_seconds.ObserveEqual(Seconds(sign_ms) / static_cast<double>(votes), votes);
}

void Duties::LogRefused(const std::string& cause, const std::string& event, uint64_t slot, uint64_t validator,
                        const std::string& reason) {
  if (!lines_.Admit(cause, LineLimit::Time(milliseconds(timer_.NowMs())))) return;
  logger_->error("{} slot={} validator={} reason=\"{}\"", event, slot, validator, reason);
}

void Duties::LogRefusals(uint64_t slot, const std::vector<SignedAttestation>& votes,
                         const std::vector<SubmitResult>& results) {
  for (size_t i = 0; i < votes.size(); ++i) {
    if (results[i].status != SubmitResult::Status::kRefused) continue;
    LogRefused("vote_refused_by_beacon", "vote refused by the beacon", slot, votes[i].message.validator_id,
               absl::StrCat(Printable(results[i].reason), ": ", Printable(results[i].message)));
  }
}

absl::Status Duties::CheckSlotIsNow(uint64_t slot) const {
  if (const int64_t now = timer_.Now().slot; now != static_cast<int64_t>(slot)) {
    return absl::FailedPreconditionError(absl::StrFormat("slot %u is over, it is slot %d now", slot, now));
  }
  return absl::OkStatus();
}

void Duties::LogTimes() const {
  block_times_.Log(*logger_);
  votes_times_.Log(*logger_);
}

int64_t Duties::SinceMs(uint64_t slot, uint32_t interval) const {
  return -timer_.Until(static_cast<int64_t>(slot), interval).count();
}

BeaconPool::Remaining Duties::Until(uint64_t slot, uint32_t interval, milliseconds grace) const {
  return [this, slot, interval, grace] { return timer_.Until(static_cast<int64_t>(slot), interval) + grace; };
}

BeaconPool::Remaining Duties::SubmitUntil(uint64_t slot, uint32_t interval, milliseconds grace, int64_t sign_ms) {
  const milliseconds left = Until(slot, interval, grace)();
  if (left > milliseconds(0)) return Until(slot, interval, grace);
  if (lines_.Admit("signing_slow", LineLimit::Time(milliseconds(timer_.NowMs())))) {
    logger_->warn(
        "signing slow slot={} sign_ms={}: what was signed is submitted late; check the load of this machine and the "
        "disk that holds the signing records",
        slot, sign_ms);
  }
  return Until(slot, interval, grace - left + milliseconds(timer_.slots().interval_duration_ms()));
}

}  // namespace lean::validator
