// A validator's key on disk, encrypted or plain: what run, list, import, export and verify open and write.
#ifndef LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORE_KEY_FILE_H_
#define LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORE_KEY_FILE_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/bytes/bytes.h"
#include "common/crypto/xmss/key_generation.h"
#include "common/crypto/xmss/scheme.h"
#include "common/crypto/xmss/secret_key.h"
#include "common/crypto/xmss/secret_key_file.h"
#include "common/secrets/random_source.h"
#include "common/secrets/wiped_bytes.h"
#include "validator_client/keys/keystore/encrypted_secret.h"
#include "validator_client/keys/keystore/keystore_json.h"
#include "validator_client/keys/keystore/password.h"

namespace lean::validator {

PublicKeyBytes PublicKeyBytesOf(const xmss::Scheme& scheme, const xmss::PublicKey& key);

// validator_N.json or, if it is plain, validator_N.key: what the commands call a new key file.
std::string KeyFileName(uint64_t index, bool encrypted);

// What a key file says without its password.
struct KeyFileSummary {
  PublicKeyBytes pubkey;
  uint32_t log_lifetime = 0;
  xmss::SlotRange active;
  bool encrypted = false;
};

// Errors of OpenKeyFile, but for those that the password tells.
absl::StatusOr<KeyFileSummary> SummarizeKeyFile(const std::string& path);

// Asked when, and only when, a file turns out to be encrypted. The password lives as long as its source.
using PasswordSource = std::function<absl::StatusOr<const Password*>()>;

struct OpenedKeyFile {
  xmss::SecretKeyInfo info;
  // Of an encrypted file: the plain key file (docs/crypto.md) that it held. A plain file is read anew when it is used.
  std::optional<WipedBytes> content;
};

// Reads an encrypted keystore, or a plain key file of ours or leanSig's. Errors name the file.
// NotFound; PermissionDenied: not readable, or open to group or others; InvalidArgument: damaged, of another scheme, a
// wrong password, or a secret that is not that of the file's own public key and parameters; errors of `password`.
absl::StatusOr<OpenedKeyFile> OpenKeyFile(const std::string& path, const PasswordSource& password);

// What the secret of a keystore is once it is decrypted: the same as if it had been read from a file. `name` is for
// errors. InvalidArgument: no XMSS key, or one of another public key or other parameters than the keystore says.
absl::StatusOr<OpenedKeyFile> OpenDecrypted(const EncryptedKeystore& keystore, WipedBytes content,
                                            const std::string& name);

// Reads a key with the trees that its file or its cache holds, whatever their slots. Where there are none of use, those
// of its first slots are built, with `options`, and kept in a cache beside it. Errors of OpenKeyFile, except that with
// `may_be_public` a file may be open to group or others. InvalidArgument as well: leaves that are not the secret's.
absl::StatusOr<xmss::SecretKey> ReadWholeKey(const std::string& path, const PasswordSource& password,
                                             bool may_be_public, const xmss::KeyGenerationOptions& options);

// How new key files are written.
struct KeyProtection {
  const Password* password = nullptr;  // null: plain, for devnets that are thrown away
  DerivationCost cost = {};            // of the encryption
};

// Writes SaveEncryptedKey's files or xmss::SaveSecretKey's.
absl::Status SaveKey(const xmss::SecretKey& key, const std::string& path, const KeyProtection& protection,
                     RandomSource& random);

// Writes an encrypted keystore and, beside it, its tree cache, both of mode 0600. AlreadyExists: `path` is there.
absl::Status SaveEncryptedKey(const xmss::SecretKey& key, const std::string& path, const Password& password,
                              const DerivationCost& cost, RandomSource& random);

// The same for a key that was encrypted when it was opened, whose trees are not at hand: there is no cache of them, so
// the first who prepares the key builds them. `protection` has a password.
absl::Status SaveOpenedKey(const OpenedKeyFile& key, const std::string& path, const KeyProtection& protection,
                           RandomSource& random);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORE_KEY_FILE_H_
