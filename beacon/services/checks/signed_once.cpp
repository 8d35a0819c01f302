#include "beacon/services/checks/signed_once.h"

#include <algorithm>

#include "common/ssz/uint64_le.h"

namespace lean::beacon {
namespace {

uint64_t Short(const Root& key) { return std::max<uint64_t>(ssz::LoadUint64(key.data.data()), 1); }

}  // namespace

bool SignedOnce::IsTooMany(uint64_t slot, uint64_t validator, const Root& key) const {
  MutexLock lock(mutex_);
  const auto found = slots_.find(slot);
  if (found == slots_.end()) return false;
  const Keys& keys = found->second[validator];
  return keys.back() != 0 && std::find(keys.begin(), keys.end(), Short(key)) == keys.end();
}

SignedOnce::Answer SignedOnce::Add(uint64_t slot, uint64_t validator, const Root& key, int64_t current_slot) {
  MutexLock lock(mutex_);
  while (!slots_.empty() && IsTooOld(slots_.begin()->first, current_slot)) slots_.erase(slots_.begin());
  // Of when the clock was further ahead than now.
  slots_.erase(slots_.upper_bound(static_cast<uint64_t>(std::max<int64_t>(current_slot, -1) + 1)), slots_.end());
  if (IsTooOld(slot, current_slot)) return Answer::kTooMany;
  std::vector<Keys>& validators = slots_[slot];
  if (validators.empty()) validators.resize(validator_count_);
  Keys& keys = validators[validator];
  for (uint64_t& known : keys) {
    if (known == Short(key)) return Answer::kFirst;
    if (known != 0) continue;
    known = Short(key);
    return &known == &keys.front() ? Answer::kFirst : Answer::kSecond;
  }
  return Answer::kTooMany;
}

size_t SignedOnce::size() const {
  MutexLock lock(mutex_);
  return slots_.size();
}

}  // namespace lean::beacon
