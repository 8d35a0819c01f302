#include "beacon/services/seen_votes.h"

namespace lean::beacon {

void SeenVotes::Add(uint64_t slot, uint64_t validator) {
  if (validator >= validator_count_) return;
  std::lock_guard lock(mutex_);
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
  std::lock_guard lock(mutex_);
  const auto seen = slots_.find(slot);
  return seen == slots_.end() ? 0 : seen->second.count;
}

std::vector<uint64_t> SeenVotes::Missing(uint64_t slot, size_t limit) const {
  std::vector<uint64_t> missing;
  std::lock_guard lock(mutex_);
  const auto seen = slots_.find(slot);
  for (uint64_t validator = 0; validator < validator_count_ && missing.size() < limit; ++validator) {
    if (seen == slots_.end() || !seen->second.validators[validator]) missing.push_back(validator);
  }
  return missing;
}

}  // namespace lean::beacon
