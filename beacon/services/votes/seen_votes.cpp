#include "beacon/services/votes/seen_votes.h"

#include <algorithm>

namespace lean::beacon {

void SeenVotes::Add(uint64_t slot, uint64_t validator, int64_t current_slot) {
  if (validator >= validator_count_ || current_slot < -1) return;
  const uint64_t newest = static_cast<uint64_t>(current_slot + 1);
  if (slot > newest) return;
  MutexLock lock(mutex_);
  slots_.erase(slots_.upper_bound(newest), slots_.end());
  std::optional<uint64_t>& latest = latest_[validator];
  if (latest.has_value() && *latest > newest) latest.reset();
  latest = std::max(latest.value_or(0), slot);
  if (slots_.size() >= kSlots && slot < slots_.begin()->first) return;
  Seen& seen = slots_[slot];
  if (seen.validators.empty()) seen.validators.resize(validator_count_);
  if (!seen.validators[validator]) {
    seen.validators[validator] = true;
    ++seen.count;
  }
  if (slots_.size() > kSlots) slots_.erase(slots_.begin());
}

uint64_t SeenVotes::Count(uint64_t slot) const {
  MutexLock lock(mutex_);
  const auto seen = slots_.find(slot);
  return seen == slots_.end() ? 0 : seen->second.count;
}

std::vector<uint64_t> SeenVotes::Missing(uint64_t slot, size_t limit) const {
  std::vector<uint64_t> missing;
  MutexLock lock(mutex_);
  const auto seen = slots_.find(slot);
  for (uint64_t validator = 0; validator < validator_count_ && missing.size() < limit; ++validator) {
    if (seen == slots_.end() || !seen->second.validators[validator]) missing.push_back(validator);
  }
  return missing;
}

std::vector<std::optional<uint64_t>> SeenVotes::Latest(absl::Span<const uint64_t> validators) const {
  std::vector<std::optional<uint64_t>> latest;
  latest.reserve(validators.size());
  MutexLock lock(mutex_);
  for (const uint64_t validator : validators) {
    latest.push_back(validator < validator_count_ ? latest_[validator] : std::nullopt);
  }
  return latest;
}

}  // namespace lean::beacon
