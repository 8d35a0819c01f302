// The JSON form of an encrypted keystore: EIP-2335 with the XMSS parameters of the key (docs/keystores.md).
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

// The limit for the text. The largest key, for the whole lifetime of 2^32 slots, needs 8.4 MB.
inline constexpr size_t kMaxKeystoreBytes = 10 << 20;

// Contains nothing secret.
struct EncryptedKeystore {
  std::string uuid;  // of this file, RFC 4122
  std::string path;  // of the key derivation; empty, since XMSS keys have none
  std::string description;
  PublicKeyBytes pubkey;
  uint32_t log_lifetime = 0;
  xmss::SlotRange active;
  EncryptedSecret secret;
};

// InvalidArgument names the field and the error: malformed JSON; a field that is missing, has the wrong type or is out
// of bounds; an unknown version, scheme or function. Only decryption can tell whether the parts belong together.
absl::StatusOr<EncryptedKeystore> ParseKeystore(absl::string_view text);

std::string FormatKeystore(const EncryptedKeystore& keystore);

// A random UUID (version 4).
absl::StatusOr<std::string> MakeUuid(RandomSource& random);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORE_KEYSTORE_JSON_H_
