#include "validator_client/start_guard.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/str_format.h"
#include "common/bytes/hex.h"
#include "common/log/log_text.h"

namespace lean::validator {
namespace {

constexpr uint32_t kLastInterval = 3;  // all votes of the slot have come by then

}  // namespace

StartGuard::StartGuard(BeaconPool& beacons, Signer& signer, Keys keys, const SlotTime& start,
                       const StartOptions& options, std::shared_ptr<spdlog::logger> logger)
    : beacons_(beacons), signer_(signer), keys_(std::move(keys)), start_(start), logger_(std::move(logger)) {
  if (start.slot < 0) return;
  history_pending_ = !options.new_keys;
  watch_pending_ = options.watch && !(options.resumed && SignedTogether());
  if (watch_pending_) {
    logger_->info("watching for a second client slot={} until_slot={}", start.slot, start.slot + kWatchedSlots);
  }
}

absl::Status StartGuard::Step(const SlotTime& now, std::chrono::milliseconds timeout) {
  if (admitted() || !beacons_.ready().ok()) return absl::OkStatus();
  if (history_pending_) {
    if (absl::Status status = CheckHistory(timeout); !status.ok()) return status;
  }
  const int64_t watched = now.slot - start_.slot;
  if (watch_pending_ && (watched > kWatchedSlots || (watched == kWatchedSlots && now.interval == kLastInterval))) {
    if (absl::Status status = CheckWatched(timeout); !status.ok()) return status;
  }
  return absl::OkStatus();
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

absl::Status StartGuard::CheckHistory(std::chrono::milliseconds timeout) {
  std::vector<ValidatorKey> unknown;
  for (ValidatorKey& key : keys_()) {
    const absl::StatusOr<std::optional<uint64_t>> highest = signer_.HighestSlot(key);
    if (!highest.ok()) return highest.status();
    if (!highest->has_value()) unknown.push_back(std::move(key));
  }
  if (!unknown.empty()) {
    const absl::StatusOr<std::vector<Liveness>> seen = Ask(unknown, 0, timeout);
    if (!seen.ok()) return absl::OkStatus();
    for (size_t i = 0; i < unknown.size(); ++i) {
      if (!(*seen)[i].live) continue;
      return absl::FailedPreconditionError(absl::StrFormat(
          "validator %u (key %s) has voted on this chain, last seen in slot %u, and there are no records of it here: "
          "import its records, or say --new-keys if no other machine has signed with it",
          unknown[i].index, ShortHex(unknown[i].key->pubkey().span()), (*seen)[i].latest_vote_slot));
    }
  }
  history_pending_ = false;
  return absl::OkStatus();
}

absl::Status StartGuard::CheckWatched(std::chrono::milliseconds timeout) {
  const std::vector<ValidatorKey> keys = keys_();
  const absl::StatusOr<std::vector<Liveness>> seen = Ask(keys, static_cast<uint64_t>(start_.slot), timeout);
  if (!seen.ok()) return absl::OkStatus();
  for (size_t i = 0; i < keys.size(); ++i) {
    if (!(*seen)[i].live) continue;
    const ValidatorKey& key = keys[i];
    const absl::StatusOr<std::optional<uint64_t>> highest = signer_.HighestSlot(key);
    if (!highest.ok()) return highest.status();
    // Just moved here, with its records, within the slot of the start.
    if (highest->has_value() && (*seen)[i].latest_vote_slot <= **highest) continue;
    return absl::FailedPreconditionError(absl::StrFormat(
        "validator %u (key %s) has voted in slot %u, which this process did not do: another client works with its key; "
        "nothing was signed here. Stop one of the two",
        key.index, ShortHex(key.key->pubkey().span()), (*seen)[i].latest_vote_slot));
  }
  watch_pending_ = false;
  logger_->info("no second client seen slots={}..{} validators={}", start_.slot, start_.slot + kWatchedSlots,
                keys.size());
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Liveness>> StartGuard::Ask(const std::vector<ValidatorKey>& keys, uint64_t from_slot,
                                                      std::chrono::milliseconds timeout) {
  std::vector<uint64_t> indices;
  indices.reserve(keys.size());
  for (const ValidatorKey& key : keys) indices.push_back(key.index);
  const std::vector<BeaconSession*> beacons = beacons_.Usable();
  absl::StatusOr<std::vector<Liveness>> together = absl::UnavailableError("no beacon to ask");
  for (BeaconSession* beacon : beacons) {
    absl::StatusOr<std::vector<Liveness>> seen =
        beacon->client().GetLiveness(indices, from_slot, timeout / static_cast<int64_t>(beacons.size()));
    if (seen.ok() && seen->size() != indices.size()) {
      seen = absl::FailedPreconditionError(
          absl::StrFormat("the beacon answered for %u validators, asked for %u", seen->size(), indices.size()));
    }
    if (!seen.ok()) {
      logger_->warn("liveness unknown beacon={} reason=\"{}\": nothing is signed before one beacon tells",
                    beacon->client().name(), StatusText(seen.status()));
    } else if (!together.ok()) {
      together = std::move(seen);
    } else {
      for (size_t i = 0; i < indices.size(); ++i) {
        (*together)[i].live = (*together)[i].live || (*seen)[i].live;
        (*together)[i].latest_vote_slot = std::max((*together)[i].latest_vote_slot, (*seen)[i].latest_vote_slot);
      }
    }
  }
  return together;
}

}  // namespace lean::validator
