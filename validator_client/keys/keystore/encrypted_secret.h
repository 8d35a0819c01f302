// A secret encrypted with a password, as in the crypto section of a keystore: AES-256-GCM (EIP-8310, version 5), or, to
// be read only, AES-128-CTR (EIP-2335, version 4).
#ifndef LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORE_ENCRYPTED_SECRET_H_
#define LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORE_ENCRYPTED_SECRET_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "common/bytes/bytes.h"
#include "common/secrets/random_source.h"
#include "common/secrets/secret_memory.h"
#include "validator_client/keys/keystore/key_derivation.h"
#include "validator_client/keys/keystore/password.h"

namespace lean::validator {

enum class Cipher {
  kAes256Gcm,  // with the derived key; a tag of kTagBytes follows the ciphertext (RFC 5116); no associated data
  kAes128Ctr,  // with the first half of the derived key
};

inline constexpr size_t kTagBytes = 16;

// The size of `iv`: 12 bytes for AES-256-GCM, 16 for AES-128-CTR.
size_t InitialVectorBytes(Cipher cipher);

// Contains nothing secret.
struct EncryptedSecret {
  Cipher cipher = Cipher::kAes256Gcm;
  DerivationCost cost;
  std::vector<uint8_t> salt;
  // EIP-2335's: SHA-256 of the second half of the derived key and the ciphertext. nullopt: the file has none.
  std::optional<Root> checksum;
  std::vector<uint8_t> iv;
  std::vector<uint8_t> ciphertext;  // has the length of the secret, with AES-256-GCM kTagBytes more
};

// Encrypts by AES-256-GCM with a new salt and initial vector. Errors of DeriveKey and of `random`.
absl::StatusOr<EncryptedSecret> Encrypt(ByteSpan secret, const Password& password, const DerivationCost& cost,
                                        RandomSource& random);

// InvalidArgument: an error of DeriveKey, or a wrong checksum or tag, which means another password or a damaged salt,
// checksum, initial vector or ciphertext. With AES-128-CTR nothing covers the initial vector, so the caller must check
// that the secret is valid.
absl::StatusOr<WipedBytes> Decrypt(const EncryptedSecret& encrypted, const Password& password);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORE_ENCRYPTED_SECRET_H_
