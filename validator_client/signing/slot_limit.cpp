#include "validator_client/signing/slot_limit.h"

#include <algorithm>
#include <chrono>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"

namespace lean::validator {
namespace {

// Above all slots of a key, and small enough that adding elapsed slots does not overflow.
constexpr uint64_t kMostAllowed = uint64_t{1} << 32;

}  // namespace

SlotLimit::SlotLimit(const Clock& clock, uint64_t slot_duration_ms, uint64_t allowed)
    : clock_(clock),
      slot_duration_ms_(slot_duration_ms),
      allowed_(std::min(allowed, kMostAllowed)),
      start_wall_ms_(clock.WallMs()),
      start_(clock.Steady()) {}

void SlotLimit::TrustGenesis(const SlotClock& slots) {
  slot_at_start_ = static_cast<uint64_t>(std::max<int64_t>(slots.At(start_wall_ms_).slot, 0));
  genesis_trusted_ = true;
}

uint64_t SlotLimit::Highest(std::optional<uint64_t> highest_at_start) const {
  const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(clock_.Steady() - start_);
  const uint64_t known = std::max(highest_at_start.value_or(0), slot_at_start_.load());
  return std::max(known + kSlotsAhead, allowed_) + static_cast<uint64_t>(passed.count()) / slot_duration_ms_;
}

absl::Status SlotLimit::Check(std::optional<uint64_t> highest_at_start, uint64_t slot) const {
  const uint64_t highest = Highest(highest_at_start);
  if (slot <= highest) return absl::OkStatus();
  if (genesis_trusted_) {
    return absl::FailedPreconditionError(absl::StrFormat(
        "slot %u is above %u, as far as this process's own clock reaches: the time jumped. Set it right and start "
        "again",
        slot, highest));
  }
  return absl::FailedPreconditionError(absl::StrFormat(
      "slot %u is above %u, as far as records and own clock reach: name the network by --genesis or --genesis-root, or "
      "say --allow-slots-to %u",
      slot, highest, slot));
}

}  // namespace lean::validator
