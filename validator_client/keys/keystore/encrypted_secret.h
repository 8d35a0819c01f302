// A secret encrypted with a password, as in the crypto section of an EIP-2335 keystore: AES-128-CTR with the first half
// of the derived key, and SHA-256 over its second half and the ciphertext.
#ifndef LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORE_ENCRYPTED_SECRET_H_
#define LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORE_ENCRYPTED_SECRET_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/bytes/bytes.h"
#include "common/secrets/random_source.h"
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
inline constexpr size_t kMaxSaltBytes = 256;

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

using DerivationCost = std::variant<ScryptCost, Pbkdf2Cost>;

// InvalidArgument: outside the bounds above, or not allowed by the function.
absl::Status CheckCost(const DerivationCost& cost);

// Derives kDerivedKeyBytes from `password` and `salt`. InvalidArgument: CheckCost, or a salt that is empty or longer
// than kMaxSaltBytes. ResourceExhausted: not enough memory.
absl::StatusOr<WipedBytes> DeriveKey(const Password& password, const DerivationCost& cost, ByteSpan salt);

inline constexpr size_t kInitialVectorBytes = 16;

// Contains nothing secret.
struct EncryptedSecret {
  DerivationCost cost;
  std::vector<uint8_t> salt;
  Root checksum;
  std::array<uint8_t, kInitialVectorBytes> iv{};
  std::vector<uint8_t> ciphertext;  // has the length of the secret
};

// Encrypts with a new salt and initial vector. Errors of DeriveKey and of `random`.
absl::StatusOr<EncryptedSecret> Encrypt(ByteSpan secret, const Password& password, const DerivationCost& cost,
                                        RandomSource& random);

// InvalidArgument: an error of DeriveKey, or a wrong checksum, which means another password or a damaged salt, checksum
// or ciphertext. EIP-2335's checksum does not cover the initial vector, so the caller must check that the secret is
// valid.
absl::StatusOr<WipedBytes> Decrypt(const EncryptedSecret& encrypted, const Password& password);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORE_ENCRYPTED_SECRET_H_
