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
#include "common/crypto/xmss/secret_key.h"
#include "common/secrets/random_source.h"
#include "validator_client/keys/keystore/key_file.h"
#include "validator_client/keys/keystore_list.h"

namespace lean::validator {

// A list on disk with its key files beside it. Not thread-safe, and one process at a time: the caller holds the lock of
// the folder.
class KeystoreFolder {
 public:
  // Reads the list; one that is not there is empty. Errors of ReadKeystoreList.
  static absl::StatusOr<KeystoreFolder> Open(const std::string& list_file);

  const std::vector<KeystoreEntry>& entries() const { return entries_; }

  // nullptr: not in the list.
  const KeystoreEntry* Find(uint64_t index) const;
  const KeystoreEntry* Find(const PublicKeyBytes& pubkey) const;

  // Those of the validators, in the order given. NotFound: one of them is not in the list.
  absl::StatusOr<std::vector<KeystoreEntry>> Select(const std::vector<uint64_t>& indices) const;

  // Writes the key file, then the list (which loses its comments). Makes the folder, private, if it is not there.
  // AlreadyExists: the index, the key or the file is there. PermissionDenied: the folder is open to group or others.
  absl::Status Add(uint64_t index, const xmss::SecretKey& key, const KeyProtection& protection, RandomSource& random);

  // The same for a key that was encrypted when it was opened: its trees are built when it is first prepared.
  // `protection` has a password.
  absl::Status Add(uint64_t index, const OpenedKeyFile& key, const KeyProtection& protection, RandomSource& random);

  // Writes the list without the key, then removes its file and its tree cache, each of it on the disk when this
  // returns. NotFound: not in the list. Internal: the key is off the list (Find tells), but its file cannot be removed.
  absl::Status Remove(const PublicKeyBytes& pubkey);

 private:
  // Adds a key whose file `save` writes at the path given.
  absl::Status AddFile(uint64_t index, const PublicKeyBytes& pubkey, bool encrypted,
                       const std::function<absl::Status(const std::string& path)>& save);
  explicit KeystoreFolder(std::string list_file) : list_file_(std::move(list_file)) {}

  absl::Status WriteList(const std::vector<KeystoreEntry>& entries) const;

  std::string list_file_;
  std::vector<KeystoreEntry> entries_;
};

// Makes the folder with mode 0700 if it is not there. AlreadyExists: it is no folder. PermissionDenied: it is open to
// group or others, or cannot be made.
absl::Status PreparePrivateFolder(const std::string& folder);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORE_FOLDER_H_
