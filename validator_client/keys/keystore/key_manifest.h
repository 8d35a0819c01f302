// The manifest of the devnet tooling's hash-sig-keys folder: which key file is whose.
#ifndef LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORE_KEY_MANIFEST_H_
#define LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORE_KEY_MANIFEST_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/bytes/bytes.h"
#include "common/crypto/xmss/secret_key.h"

namespace lean::validator {

inline constexpr char kManifestName[] = "validator-keys-manifest.yaml";

struct ManifestEntry {
  uint64_t index = 0;     // in the validator registry
  PublicKeyBytes pubkey;  // that the key file must have
  std::string path;       // of the secret key
  std::string origin;     // "FILE:LINE" of this entry, for messages
};

struct KeyManifest {
  std::vector<ManifestEntry> entries;  // at least one
  std::string warning;                 // that names fields that are not known; empty: there are none
};

// Reads `validators`, a list of `index`, `pubkey_hex` and `privkey_file` (relative to the manifest), which is as long
// as `num_validators` says, if it is there. The other fields (key_scheme, lifetime, ..) say what the key files say
// themselves, and are not read.
// InvalidArgument begins with "FILE:LINE: "; one more field of a validator, too: it may say who signs. Errors of
// ReadTextFile as they are.
absl::StatusOr<KeyManifest> ReadKeyManifest(const std::string& file);

// Writes FOLDER/validator_INDEX_sk.ssz (0600) and validator_INDEX_pk.ssz, as the devnet tooling does. AlreadyExists:
// one of them is there.
absl::Status WriteHashSigKey(const std::string& folder, uint64_t index, const xmss::SecretKey& key);

// What the manifest says of all keys together.
struct HashSigNetwork {
  uint32_t log_lifetime = 0;
  uint64_t active_slots = 0;  // of each key

  friend bool operator==(const HashSigNetwork&, const HashSigNetwork&) = default;
};

// Writes FOLDER/validator-keys-manifest.yaml for keys of WriteHashSigKey: index and public key. AlreadyExists.
absl::Status WriteKeyManifest(const std::string& folder, const HashSigNetwork& network,
                              const std::vector<std::pair<uint64_t, PublicKeyBytes>>& keys);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORE_KEY_MANIFEST_H_
