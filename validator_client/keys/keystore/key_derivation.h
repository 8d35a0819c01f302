// Derives the key of a keystore from its password (EIP-2335's kdf module, and EIP-8310's argon2id).
#ifndef LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORE_KEY_DERIVATION_H_
#define LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORE_KEY_DERIVATION_H_

#include <cstddef>
#include <cstdint>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/bytes/bytes.h"
#include "common/secrets/secret_memory.h"
#include "validator_client/keys/keystore/password.h"

namespace lean::validator {

// Of the key that decrypts a keystore (EIP-2335, "Decryption key").
inline constexpr size_t kDerivedKeyBytes = 32;

// Bounds on the costs that a file may ask for, checked before anything is allocated or computed. EIP-2335's own costs
// (2^18 * 8 of scrypt are 256 MiB, 2^18 rounds of pbkdf2) are well within them.
inline constexpr uint64_t kMaxScryptBytes = 256 << 20;  // 128 * n * r
inline constexpr uint64_t kMaxScryptParallelism = 16;   // p: the number of computations
inline constexpr uint64_t kMaxPbkdf2Rounds = 1 << 24;
inline constexpr uint64_t kMaxArgon2Kib = 256 << 10;  // m
inline constexpr uint64_t kMaxArgon2Passes = 64;      // t
inline constexpr uint64_t kMaxArgon2Lanes = 16;       // p
inline constexpr size_t kMaxSaltBytes = 256;
inline constexpr size_t kMinArgon2SaltBytes = 8;

struct ScryptCost {
  uint64_t n = 1 << 18;  // a power of two above 1
  uint64_t r = 8;
  uint64_t p = 1;
  friend bool operator==(const ScryptCost&, const ScryptCost&) = default;
};

struct Pbkdf2Cost {
  uint64_t c = 1 << 18;  // rounds of HMAC-SHA256
  friend bool operator==(const Pbkdf2Cost&, const Pbkdf2Cost&) = default;
};

// Argon2id, version 0x13 (RFC 9106). Takes four times the memory of RFC 9106's second recommended option.
struct Argon2Cost {
  uint64_t t = 3;          // passes
  uint64_t m = 256 << 10;  // KiB, at least 8 for each lane
  uint64_t p = 4;          // lanes
  friend bool operator==(const Argon2Cost&, const Argon2Cost&) = default;
};

using DerivationCost = std::variant<ScryptCost, Pbkdf2Cost, Argon2Cost>;

// InvalidArgument: outside the bounds above, or not allowed by the function.
absl::Status CheckCost(const DerivationCost& cost);

// Derives kDerivedKeyBytes from `password` and `salt`. InvalidArgument: CheckCost, or a salt that is empty, longer than
// kMaxSaltBytes or, for argon2id, shorter than kMinArgon2SaltBytes. ResourceExhausted: not enough memory.
absl::StatusOr<WipedBytes> DeriveKey(const Password& password, const DerivationCost& cost, ByteSpan salt);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORE_KEY_DERIVATION_H_
