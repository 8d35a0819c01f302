// The JSON form of an encrypted keystore (docs/keystores.md): EIP-8310, version 5, and, to be read only, our version 4.
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
#include "nlohmann/json_fwd.hpp"
#include "validator_client/keys/keystore/encrypted_secret.h"
#include "validator_client/keys/keystore/key_state.h"

namespace lean::validator {

// The limits for the text. The largest key of version 4, for the whole lifetime of 2^32 slots, needs 8.4 MB. The
// largest secret of version 5 has 1140 bytes.
inline constexpr size_t kMaxOldKeystoreBytes = 10 << 20;
inline constexpr size_t kMaxKeystoreBytes = 64 << 10;

// What the decrypted secret is.
enum class SecretForm {
  kSeed,          // 32 bytes (xmss::MasterSeed)
  kExplicitSeed,  // xmss::EncodeExplicitSeed, of keys that were not made from 32 bytes
  kKeyFile,       // the plain key file of docs/crypto.md, in version 4
};

// Contains nothing secret.
struct EncryptedKeystore {
  std::string uuid;  // of this file, RFC 4122
  std::string path;  // of the key derivation; empty, since XMSS keys have none
  std::string description;
  PublicKeyBytes pubkey;
  uint32_t log_lifetime = 0;
  xmss::SlotRange active;
  SecretForm form = SecretForm::kSeed;  // kKeyFile: the file has version 4
  KeyState state;                       // in version 5
  EncryptedSecret secret;
};

// InvalidArgument names the field and the error: malformed JSON; a field that is missing, has the wrong type or is out
// of bounds; an unknown version, scheme or function. Only decryption can tell whether the parts belong together.
absl::StatusOr<EncryptedKeystore> ParseKeystore(absl::string_view text);

// The same for a document that is part of another one.
absl::StatusOr<EncryptedKeystore> ReadKeystore(const nlohmann::json& root);

// In version 5. `form` must not be kKeyFile.
std::string FormatKeystore(const EncryptedKeystore& keystore);
nlohmann::ordered_json KeystoreToJson(const EncryptedKeystore& keystore);

// A random UUID (version 4).
absl::StatusOr<std::string> MakeUuid(RandomSource& random);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORE_KEYSTORE_JSON_H_
