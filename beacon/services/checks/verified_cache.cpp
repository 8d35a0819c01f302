#include "beacon/services/checks/verified_cache.h"

#include <algorithm>
#include <array>

#include "common/crypto/sha256.h"
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

}  // namespace lean::beacon
