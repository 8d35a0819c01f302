// The JSON of an encrypted keystore: EIP-2335's, with the XMSS parameters of the key beside it (docs/keystores.md).
#ifndef LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORE_KEYSTORE_JSON_H_
#define LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORE_KEYSTORE_JSON_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/bytes/bytes.h"
#include "common/crypto/xmss/scheme.h"
#include "common/secrets/random_source.h"
#include "validator_client/keys/keystore/encrypted_secret.h"

namespace lean::validator {

// Longer texts are refused: the longest key, of a whole lifetime of 2^32 slots, takes 8.4 MB.
inline constexpr size_t kMaxKeystoreBytes = 10 << 20;

// Nothing in it is secret.
struct EncryptedKeystore {
  std::string uuid;  // of this file, RFC 4122
  std::string path;  // of key derivation; XMSS keys have none: empty
  std::string description;
  PublicKeyBytes pubkey;
  uint32_t log_lifetime = 0;
  xmss::SlotRange active;
  EncryptedSecret secret;
};

// InvalidArgument names the field and what is wrong: no JSON, a field that is missing, of another type or out of
// bounds, a version, scheme or function that is not ours. Whether the parts belong together only the password can tell.
absl::StatusOr<EncryptedKeystore> ParseKeystore(absl::string_view text);

std::string FormatKeystore(const EncryptedKeystore& keystore);

// A random one (version 4).
absl::StatusOr<std::string> MakeUuid(RandomSource& random);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORE_KEYSTORE_JSON_H_
