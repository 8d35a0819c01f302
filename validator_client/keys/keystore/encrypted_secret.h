// A secret under a password, as the crypto section of an EIP-2335 keystore has it: AES-128-CTR under the first half of
// the derived key, and SHA-256 over its second half and the ciphertext.
#ifndef LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORE_ENCRYPTED_SECRET_H_
#define LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORE_ENCRYPTED_SECRET_H_

#include <array>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "common/bytes/bytes.h"
#include "common/crypto/xmss/random_source.h"
#include "common/secrets/wiped_bytes.h"
#include "validator_client/keys/keystore/key_derivation.h"
#include "validator_client/keys/keystore/password.h"

namespace lean::validator {

inline constexpr size_t kInitialVectorBytes = 16;

// Nothing in it is secret.
struct EncryptedSecret {
  DerivationCost cost;
  std::vector<uint8_t> salt;
  Root checksum;
  std::array<uint8_t, kInitialVectorBytes> iv{};
  std::vector<uint8_t> ciphertext;  // as long as the secret
};

// Under a fresh salt and initial vector. Errors of DeriveKey and of `random`.
absl::StatusOr<EncryptedSecret> Encrypt(ByteSpan secret, const Password& password, const DerivationCost& cost,
                                        xmss::RandomSource& random);

// InvalidArgument: DeriveKey, or the checksum is wrong: another password, or a damaged salt, checksum or ciphertext.
// The initial vector is under no checksum in EIP-2335, so the secret itself must be one that can be told from noise.
absl::StatusOr<WipedBytes> Decrypt(const EncryptedSecret& encrypted, const Password& password);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORE_ENCRYPTED_SECRET_H_
