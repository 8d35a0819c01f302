// Adds keys to a list of keystores and takes them out again, so that a crash at any point leaves list and files usable.
#ifndef LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORE_FOLDER_H_
#define LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORE_FOLDER_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/bytes/bytes.h"
#include "common/crypto/xmss/keys/secret_key.h"
#include "common/process/whole_file.h"
#include "common/secrets/random_source.h"
#include "validator_client/keys/keystore/key_file.h"
#include "validator_client/keys/keystore/keystore_list.h"

namespace lean::validator {

// A keystore list on the disk and the key files in its folder. Not thread-safe. The caller holds the lock of the
// folder, so that only one process uses it.
class KeystoreFolder {
 public:
  // Reads the list. A list that does not exist is empty. Errors of ReadKeystoreList.
  static absl::StatusOr<KeystoreFolder> Open(const std::string& list_file);

  const std::vector<KeystoreEntry>& entries() const { return entries_; }

  // nullptr: the list does not have it.
  const KeystoreEntry* Find(uint64_t index) const;
  const KeystoreEntry* Find(const PublicKeyBytes& pubkey) const;

  // The entries of these validators, in the given order. NotFound: the list lacks one of them.
  absl::StatusOr<std::vector<KeystoreEntry>> Select(const std::vector<uint64_t>& indices) const;

  // Writes the key file, then the list (which loses its comments). Creates a missing folder with mode 0700.
  // AlreadyExists: the index, the key or the file exists. PermissionDenied: the folder is accessible to group or
  // others.
  // A file of the same key that no list names, for example after a crash, is replaced at once, so that the key is on
  // the disk at any time.
  absl::Status Add(uint64_t index, const xmss::SecretKey& key, const KeyState& state, const KeyProtection& protection,
                   RandomSource& random);

  // The same for a key from an encrypted file, without its trees: they are built when the key is first prepared.
  // `protection` must have a password.
  absl::Status Add(uint64_t index, const OpenedKeyFile& key, const KeyState& state, const KeyProtection& protection,
                   RandomSource& random);

  // Writes the list without the key, then removes its file and its caches. All changes are on the disk when this
  // returns. NotFound: the list does not have the key. Internal: the list no longer has the key, but its file cannot be
  // removed.
  absl::Status Remove(const PublicKeyBytes& pubkey);

 private:
  using Save = std::function<absl::Status(const std::string& path, IfExists if_exists)>;

  // Adds a key, whose file `save` writes.
  absl::Status AddFile(uint64_t index, const PublicKeyBytes& pubkey, bool encrypted, const Save& save);
  explicit KeystoreFolder(std::string list_file) : list_file_(std::move(list_file)) {}

  // Makes these the entries. After an error the list is as before, unless it can no longer be written.
  absl::Status ReplaceEntries(std::vector<KeystoreEntry> entries);
  absl::Status WriteList(const std::vector<KeystoreEntry>& entries) const;

  std::string list_file_;
  std::vector<KeystoreEntry> entries_;
};

// Creates a missing folder with mode 0700. AlreadyExists: the path is not a folder. PermissionDenied: the folder is
// accessible to group or others, or cannot be created.
absl::Status PreparePrivateFolder(const std::string& folder);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORE_FOLDER_H_
