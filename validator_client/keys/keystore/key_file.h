// Reads and writes the key file of a validator, encrypted or plain.
#ifndef LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORE_KEY_FILE_H_
#define LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORE_KEY_FILE_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/bytes/bytes.h"
#include "common/crypto/xmss/keys/key_generation.h"
#include "common/crypto/xmss/keys/key_seed.h"
#include "common/crypto/xmss/keys/secret_key.h"
#include "common/crypto/xmss/keys/secret_key_file.h"
#include "common/crypto/xmss/scheme.h"
#include "common/process/whole_file.h"
#include "common/secrets/random_source.h"
#include "common/secrets/secret_memory.h"
#include "validator_client/keys/keystore/encrypted_secret.h"
#include "validator_client/keys/keystore/key_state.h"
#include "validator_client/keys/keystore/keystore_json.h"
#include "validator_client/keys/keystore/password.h"

namespace lean::validator {

PublicKeyBytes PublicKeyBytesOf(const xmss::Scheme& scheme, const xmss::PublicKey& key);

// The name of a new key file: validator_N.json, or validator_N.key if it is plain.
std::string KeyFileName(uint64_t index, bool encrypted);

// The content of a key file that can be read without its password.
struct KeyFileSummary {
  PublicKeyBytes pubkey;
  uint32_t log_lifetime = 0;
  xmss::SlotRange active;
  const char* form = "plain";  // "plain", "encrypted-v4" or "encrypted-v5"
  bool encrypted = false;
  KeyState state{};  // of version 5
};

// Errors of OpenKeyFile, except those of the password.
absl::StatusOr<KeyFileSummary> SummarizeKeyFile(const std::string& path);

// Called only when a file is encrypted. The password must live as long as its source.
using PasswordSource = std::function<absl::StatusOr<const Password*>()>;

struct OpenedKeyFile {
  xmss::SecretKeyInfo info;
  // The decrypted plain key file (docs/crypto.md) of a keystore of version 4.
  std::optional<WipedBytes> content{};
  // The secret of a keystore of version 5. Its parameter is that of the public key; that its tree is, too, is known
  // when the tree is loaded or computed. Without both, the file is plain, and is read again when it is used.
  std::optional<xmss::KeySeed> seed{};
  KeyState state{};  // of version 5
};

// Reads an encrypted keystore, or a plain key file of ours or leanSig's. Errors name the file. NotFound.
// PermissionDenied: not readable, or accessible to group or others. InvalidArgument: damaged, another scheme, a wrong
// password, or a secret that does not match the public key and the parameters in the file. Errors of `password`.
absl::StatusOr<OpenedKeyFile> OpenKeyFile(const std::string& path, const PasswordSource& password);

// Opens the decrypted secret of a keystore like a key file. `name` is the name in errors. InvalidArgument: not an XMSS
// key, or a key with another public key or other parameters than the keystore names, as far as it can be told without
// its trees.
absl::StatusOr<OpenedKeyFile> OpenDecrypted(const EncryptedKeystore& keystore, WipedBytes content,
                                            const std::string& name);

// Reads a key with the trees in its file or its caches, for whichever slots they are. If there are no usable trees,
// builds those of the first slots with `options` and writes them to caches beside the file. Errors of OpenKeyFile;
// with `may_be_public` the file may be accessible to group or others. InvalidArgument: also when leaves do not match
// the secret.
struct WholeKey {
  xmss::SecretKey key;
  KeyState state;  // of its file, in version 5
};
absl::StatusOr<WholeKey> ReadWholeKey(const std::string& path, const PasswordSource& password, bool may_be_public,
                                      const xmss::KeyGenerationOptions& options);

// How new key files are written.
struct KeyProtection {
  const Password* password = nullptr;  // null: plain, for temporary devnets
  DerivationCost cost = {};            // of the encryption
};

// SaveEncryptedKey or, without a password, xmss::SaveSecretKey, which keeps no state.
absl::Status SaveKey(const xmss::SecretKey& key, const KeyState& state, const std::string& path,
                     const KeyProtection& protection, RandomSource& random, IfExists if_exists = IfExists::kFail);

// Writes a keystore of version 5 and its caches beside it, all with mode 0600. AlreadyExists, with kFail: `path`
// exists.
absl::Status SaveEncryptedKey(const xmss::SecretKey& key, const KeyState& state, const std::string& path,
                              const Password& password, const DerivationCost& cost, RandomSource& random,
                              IfExists if_exists = IfExists::kFail);

// The same for a key from an encrypted file, without its bottom trees: the first preparation of the key builds them.
// `protection` must have a password.
absl::Status SaveOpenedKey(const OpenedKeyFile& key, const KeyState& state, const std::string& path,
                           const KeyProtection& protection, RandomSource& random, IfExists if_exists = IfExists::kFail);

// The keystore of version 5 of a key. `protection` must have a password.
absl::StatusOr<EncryptedKeystore> MakeKeystore(const xmss::SecretKey& key, const KeyState& state,
                                               const KeyProtection& protection, RandomSource& random);

// What UpgradeKeyFile has done.
enum class Upgrade {
  kConverted,  // from version 4
  kState,      // version 5 already; its state was older than `state`
  kUnchanged,  // version 5 already
  kPlain,      // not encrypted: has no version, and is left as it is
};

// Replaces a keystore of version 4 by one of version 5 with the same key and password, in one step: after a crash the
// file is the old or the new one. The new one is opened before it takes the place. In version 5,
// replaces a state that is older than `state`, for which no password is needed. Errors of OpenKeyFile and of writing;
// they leave the file as it was.
absl::StatusOr<Upgrade> UpgradeKeyFile(const std::string& path, const KeyState& state, const PasswordSource& password,
                                       const DerivationCost& cost, RandomSource& random);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORE_KEY_FILE_H_
