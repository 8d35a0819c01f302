#include "validator_client/keys/start_guard.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <random>
#include <utility>

#include "absl/strings/str_format.h"
#include "common/bytes/bytes.h"
#include "common/log/log_text.h"
#include "common/status/status_macros.h"

namespace lean::validator {
namespace {

constexpr uint32_t kLastInterval = 3;  // all votes of the slot have come by then

}  // namespace

int64_t DrawWatchedSlots(std::mt19937_64& random) {
  return std::uniform_int_distribution<int64_t>(kLeastWatchedSlots, kMostWatchedSlots)(random);
}

StartGuard::StartGuard(BeaconPool& beacons, ForeignVotes& votes, Signer& signer, Keys keys, const SlotTime& start,
                       const StartOptions& options, std::shared_ptr<spdlog::logger> logger)
    : beacons_(beacons),
      votes_(votes),
      signer_(signer),
      keys_(std::move(keys)),
      first_slot_(start.slot),
      last_slot_(start.slot + options.watched_slots()),
      logger_(std::move(logger)) {
  if (start.slot < 0) return;
  history_pending_ = !options.new_keys;
  watch_pending_ = options.watch && !(options.resumed && SignedTogether());
  if (watch_pending_) {
    logger_->info("watching for a second client slot={} until_slot={}", first_slot_, last_slot_);
  }
}

absl::StatusOr<std::vector<StartGuard::Refused>> StartGuard::Step(const SlotTime& now,
                                                                  std::chrono::milliseconds timeout) {
  std::vector<Refused> refused;
  if (now.slot < first_slot_) {
    // The clock was ahead at the start. Watches the same number of slots from now on.
    last_slot_ -= first_slot_ - now.slot;
    first_slot_ = now.slot;
  }
  if (admitted() || !beacons_.ready().ok()) return refused;
  if (history_pending_) {
    RETURN_IF_ERROR(CheckHistory(timeout, refused));
    if (!refused.empty()) return refused;  // they are not asked about again
  }
  const bool over = now.slot > last_slot_ || (now.slot == last_slot_ && now.interval == kLastInterval);
  if (watch_pending_ && over) {
    RETURN_IF_ERROR(CheckWatched(now, timeout, refused));
  }
  return refused;
}

bool StartGuard::SignedTogether() {
  uint64_t lowest = std::numeric_limits<uint64_t>::max();
  uint64_t highest = 0;
  for (const ValidatorKey& key : keys_()) {
    const absl::StatusOr<std::optional<uint64_t>> slot = signer_.HighestSlot(key);
    if (!slot.ok() || !slot->has_value()) return false;
    lowest = std::min(lowest, **slot);
    highest = std::max(highest, **slot);
  }
  return highest <= lowest || highest - lowest <= 1;
}

absl::Status StartGuard::CheckHistory(std::chrono::milliseconds timeout, std::vector<Refused>& refused) {
  std::vector<ValidatorKey> unknown;
  for (ValidatorKey& key : keys_()) {
    ASSIGN_OR_RETURN(const std::optional<uint64_t> highest, signer_.HighestSlot(key));
    if (!highest.has_value()) unknown.push_back(std::move(key));
  }
  if (!unknown.empty()) {
    ASSIGN_OR_RETURN(const Sightings seen, votes_.Look(unknown, 0, timeout));
    for (const ForeignVote& vote : seen.proved) {
      refused.push_back({vote.key, absl::FailedPreconditionError(absl::StrFormat(
                                       "it has voted on this chain, last seen in slot %u, and there are no records of "
                                       "it here: import its records, or use --new-keys if no other machine has signed "
                                       "with it",
                                       vote.slot))});
    }
    if (!seen.clear) return absl::OkStatus();
  }
  history_pending_ = false;
  return absl::OkStatus();
}

absl::Status StartGuard::CheckWatched(const SlotTime& now, std::chrono::milliseconds timeout,
                                      std::vector<Refused>& refused) {
  const std::vector<ValidatorKey> keys = keys_();
  ASSIGN_OR_RETURN(const Sightings seen, votes_.Look(keys, static_cast<uint64_t>(first_slot_), timeout));
  for (const ForeignVote& vote : seen.proved) {
    refused.push_back({vote.key, absl::FailedPreconditionError(absl::StrFormat(
                                     "another client works with its key: it has signed %s in slot %u, as the beacon %s "
                                     "shows; nothing was signed here. Stop one of the two",
                                     ShortHex(vote.root.span()), vote.slot, vote.beacon))});
  }
  if (!seen.answered) return absl::OkStatus();
  if (!seen.clear) {
    // Starts again: the claimed votes are in the past, or will be claimed again.
    first_slot_ = std::max(first_slot_, now.slot);
    last_slot_ = now.slot + 1;
    return absl::OkStatus();
  }
  watch_pending_ = false;
  logger_->info("no second client seen slots={}..{} validators={}", first_slot_, last_slot_,
                keys.size() - refused.size());
  return absl::OkStatus();
}

}  // namespace lean::validator
