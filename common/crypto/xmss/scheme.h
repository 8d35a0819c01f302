// The parameters of one XMSS instantiation: leanSig f10dcbe's target-sum scheme of dimension 64 and base 8 over
// KoalaBear and Poseidon2 (docs/crypto.md), which leanSpec 050fa4a calls PROD_CONFIG at lifetime 2^32.
#ifndef LEAN_COMMON_CRYPTO_XMSS_SCHEME_H_
#define LEAN_COMMON_CRYPTO_XMSS_SCHEME_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace lean::xmss {

// Common to every instantiation. Lengths are in field elements unless they say bytes.
inline constexpr size_t kDimension = 64;  // hash chains of a one-time signature
inline constexpr uint32_t kBase = 8;      // positions of a chain, 0..7
inline constexpr uint32_t kChainEnd = kBase - 1;
inline constexpr uint32_t kTargetSum = 375;  // sum of the positions that a signature reveals
inline constexpr uint32_t kFinalLayer = 77;  // messages are hashed into the layers 0..77 (layer = 448 - sum)
inline constexpr size_t kParameterLen = 5;
inline constexpr size_t kTweakLen = 2;
inline constexpr size_t kMessageLen = 9;
inline constexpr size_t kCapacityLen = 9;
inline constexpr uint64_t kMaxTries = 100000;  // of the message hash, by the signer
inline constexpr size_t kPrfKeyBytes = 32;

// Upper bounds over all instantiations, for arrays of a fixed size.
inline constexpr size_t kMaxHashLen = 8;
inline constexpr size_t kMaxRandomnessLen = 7;
inline constexpr size_t kMaxLogLifetime = 32;

// What differs between instantiations. A value type; only the factories below make one.
class Scheme {
 public:
  // The production parameters (8-element hashes, 7-element randomness, 52-byte key) with a tree of height 32, 16 or 8.
  // InvalidArgument: any other height.
  static absl::StatusOr<Scheme> Create(uint32_t log_lifetime);

  // leanSig's instantiation of lifetime 2^18 (7-element hashes, 6-element randomness, 48-byte key).
  static Scheme Lifetime18() { return Scheme(18, 7, 6); }

  uint32_t log_lifetime() const { return log_lifetime_; }
  uint64_t lifetime() const { return uint64_t{1} << log_lifetime_; }  // leaves of a key, one a slot
  size_t hash_len() const { return hash_len_; }
  size_t randomness_len() const { return randomness_len_; }

  // A key keeps its tree in two storeys: one top tree above bottom trees of 2^bottom_height leaves.
  uint32_t bottom_height() const { return log_lifetime_ / 2; }
  uint64_t bottom_leaves() const { return uint64_t{1} << bottom_height(); }

  size_t hash_bytes() const { return 4 * hash_len_; }
  size_t public_key_bytes() const { return 4 * (hash_len_ + kParameterLen); }
  // Path, randomness and chain values without offsets or padding: 3100 at lifetime 2^32.
  size_t flat_signature_bytes() const { return 4 * ((log_lifetime_ + kDimension) * hash_len_ + randomness_len_); }

  friend bool operator==(const Scheme&, const Scheme&) = default;

 private:
  constexpr Scheme(uint32_t log_lifetime, size_t hash_len, size_t randomness_len)
      : log_lifetime_(log_lifetime), hash_len_(hash_len), randomness_len_(randomness_len) {}

  uint32_t log_lifetime_;
  size_t hash_len_;
  size_t randomness_len_;
};

inline absl::StatusOr<Scheme> Scheme::Create(uint32_t log_lifetime) {
  if (log_lifetime != 32 && log_lifetime != 16 && log_lifetime != 8) {
    return absl::InvalidArgumentError(
        absl::StrCat("XMSS lifetime 2^", log_lifetime, " is not known; use 2^32, 2^16 or 2^8"));
  }
  return Scheme(log_lifetime, kMaxHashLen, kMaxRandomnessLen);
}

// Slots first..end-1.
struct SlotRange {
  uint64_t first = 0;
  uint64_t end = 0;

  bool Contains(uint64_t slot) const { return first <= slot && slot < end; }
  uint64_t size() const { return end - first; }

  friend bool operator==(const SlotRange&, const SlotRange&) = default;
};

}  // namespace lean::xmss

#endif  // LEAN_COMMON_CRYPTO_XMSS_SCHEME_H_
