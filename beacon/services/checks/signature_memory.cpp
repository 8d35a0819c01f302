#include "beacon/services/checks/signature_memory.h"

#include <algorithm>
#include <array>

#include "common/crypto/sha.h"
#include "common/ssz/uint64_le.h"

namespace lean::beacon {

Root VerifiedCache::Key(uint64_t validator, const Root& message, const SignatureBytes& signature) {
  std::array<uint8_t, 8 + Root::kSize + SignatureBytes::kSize> bytes;
  ssz::StoreUint64(validator, bytes.data());
  const auto after_message = std::copy(message.data.begin(), message.data.end(), bytes.begin() + 8);
  std::copy(signature.data.begin(), signature.data.end(), after_message);
  return crypto::Sha256(bytes);
}

bool VerifiedCache::Contains(const Root& key) {
  MutexLock lock(mutex_);
  const auto place = places_.find(key);
  if (place == places_.end()) return false;
  by_use_.splice(by_use_.begin(), by_use_, place->second);
  return true;
}

void VerifiedCache::Insert(const Root& key) {
  MutexLock lock(mutex_);
  const auto [place, inserted] = places_.try_emplace(key);
  if (!inserted) return;
  by_use_.push_front(key);
  place->second = by_use_.begin();
  if (by_use_.size() > capacity_) {
    places_.erase(by_use_.back());
    by_use_.pop_back();
  }
}

size_t VerifiedCache::size() const {
  MutexLock lock(mutex_);
  return by_use_.size();
}

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
  // Drops slots from a time when the clock was further ahead.
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
