#include "validator_client/keys/key_admission.h"

#include <algorithm>
#include <utility>

#include "common/bytes/bytes.h"
#include "common/log/log_text.h"
#include "common/status/status_macros.h"

namespace lean::validator {

std::vector<RegisteredKey> RegisteredKeysOf(const std::vector<ValidatorKey>& keys) {
  std::vector<RegisteredKey> registered;
  registered.reserve(keys.size());
  for (const ValidatorKey& key : keys) registered.push_back({key.index, key.key->pubkey(), key.origin});
  return registered;
}

KeyAdmission::KeyAdmission(BeaconPool& beacons, ForeignVotes& votes, LiveKeys& keys, const StartOptions& options,
                           std::shared_ptr<spdlog::logger> logger)
    : beacons_(beacons), votes_(votes), keys_(keys), options_(options), logger_(std::move(logger)) {}

void KeyAdmission::Step(const SlotTime& now, const BeaconPool::Remaining& remaining) {
  TakeUp(now);
  std::vector<Candidate> still_waiting;
  for (Candidate& candidate : candidates_) {
    const BeaconPool::Timeout left = remaining();
    const absl::Status verdict = left > BeaconPool::Timeout::zero()
                                     ? Check(candidate, now, left)
                                     : absl::UnavailableError("no time left in this slot");
    if (absl::IsUnavailable(verdict)) {
      still_waiting.push_back(std::move(candidate));
    } else {
      Settle(candidate, verdict, now);
    }
  }
  candidates_ = std::move(still_waiting);
  TellPool();
}

void KeyAdmission::TakeUp(const SlotTime& now) {
  const std::vector<LiveKeys::Entry> waiting = keys_.Waiting();
  // Compares objects, not public keys: a key that was removed and added again starts to wait again.
  std::erase_if(candidates_, [&waiting](const Candidate& candidate) {
    return std::none_of(waiting.begin(), waiting.end(),
                        [&candidate](const LiveKeys::Entry& entry) { return entry.key.key == candidate.key.key; });
  });
  for (const LiveKeys::Entry& entry : waiting) {
    const bool known = std::any_of(candidates_.begin(), candidates_.end(),
                                   [&entry](const Candidate& candidate) { return entry.key.key == candidate.key.key; });
    if (known) continue;
    StartOptions options = options_;
    options.new_keys = entry.never_signed;
    options.resumed = false;  // that was about the keys of the start
    logger_->info("key taken up validator={} pubkey={} slot={}", entry.key.index,
                  ShortHex(entry.key.key->pubkey().span()), now.slot);
    candidates_.push_back(
        Candidate{.key = entry.key,
                  .start = now,
                  .guard = std::make_unique<StartGuard>(
                      beacons_, votes_, keys_.signer(), [key = entry.key] { return std::vector<ValidatorKey>{key}; },
                      now, options, logger_)});
  }
}

absl::Status KeyAdmission::Check(Candidate& candidate, const SlotTime& now, std::chrono::milliseconds timeout) {
  if (!candidate.registered) {
    const absl::Status status = beacons_.CheckRegistered(RegisteredKeysOf({candidate.key}).front(), timeout);
    if (absl::IsInvalidArgument(status)) return status;
    RETURN_IF_ERROR(status, absl::UnavailableError(_.message()));
    candidate.registered = true;
  }
  ASSIGN_OR_RETURN(const std::vector<StartGuard::Refused> refused, candidate.guard->Step(now, timeout),
                   absl::UnavailableError(_.message()));  // the records' disk
  if (!refused.empty()) return refused.front().why;
  if (now.slot < candidate.start.slot) candidate.start = now;  // the clock was ahead when it came
  // Another process may have signed in the slot in which the key was added.
  const bool slot_over = candidate.start.slot < 0 || now.slot > candidate.start.slot;
  if (!candidate.guard->admitted() || !slot_over) return absl::UnavailableError("not yet");
  return absl::OkStatus();
}

void KeyAdmission::Settle(const Candidate& candidate, const absl::Status& verdict, const SlotTime& now) {
  const PublicKeyBytes& pubkey = candidate.key.key->pubkey();
  if (verdict.ok()) {
    if (!keys_.Admit(*candidate.key.key)) return;
    logger_->info("key added validator={} pubkey={} first_slot={}", candidate.key.index, ShortHex(pubkey.span()),
                  std::max<int64_t>(now.slot + 1, 0));
  } else if (keys_.Refuse(*candidate.key.key, verdict)) {
    logger_->error("key refused validator={} pubkey={} reason=\"{}\"", candidate.key.index, ShortHex(pubkey.span()),
                   StatusText(verdict));
  }
}

void KeyAdmission::TellPool() {
  const KeySetPtr keys = keys_.signer().keys();
  if (keys == told_) return;
  beacons_.SetKeys(RegisteredKeysOf(keys->all()));
  told_ = keys;
}

}  // namespace lean::validator
