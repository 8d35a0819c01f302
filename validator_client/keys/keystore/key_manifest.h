// The manifest of the devnet tooling's hash-sig-keys folder, which maps key files to validators.
#ifndef LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORE_KEY_MANIFEST_H_
#define LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORE_KEY_MANIFEST_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/bytes/bytes.h"
#include "common/crypto/xmss/keys/secret_key.h"
#include "validator_client/keys/keystore/keystore_list.h"

namespace lean::validator {

inline constexpr char kManifestName[] = "validator-keys-manifest.yaml";

struct KeyManifest {
  std::vector<KeystoreEntry> entries;  // at least one
  std::string warning;                 // names unknown fields; empty: there are none
};

// Reads `validators`, a list of `index`, `pubkey_hex` and `privkey_file` (relative to the manifest). Its length must
// equal `num_validators`, if that is present. Ignores the other fields (key_scheme, lifetime, ..), which repeat the
// content of the key files. InvalidArgument begins with "FILE:LINE: "; an unknown field of a validator is an error,
// too, since it may decide who signs. Returns errors of ReadTextFile unchanged.
absl::StatusOr<KeyManifest> ReadKeyManifest(const std::string& file);

// Writes FOLDER/validator_INDEX_sk.ssz (0600) and validator_INDEX_pk.ssz like the devnet tooling. AlreadyExists: one of
// them exists.
absl::Status WriteHashSigKey(const std::string& folder, uint64_t index, const xmss::SecretKey& key);

// The properties of all keys in a manifest.
struct HashSigNetwork {
  uint32_t log_lifetime = 0;
  uint64_t active_slots = 0;  // of each key

  friend bool operator==(const HashSigNetwork&, const HashSigNetwork&) = default;
};

// Writes FOLDER/validator-keys-manifest.yaml for keys of WriteHashSigKey, given by index and public key. AlreadyExists.
absl::Status WriteKeyManifest(const std::string& folder, const HashSigNetwork& network,
                              const std::vector<std::pair<uint64_t, PublicKeyBytes>>& keys);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORE_KEY_MANIFEST_H_
