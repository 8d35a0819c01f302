#include "validator_client/commands/locked_keystores.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/process/descriptors.h"
#include "validator_client/keystore_list.h"

namespace lean::validator {
namespace {

// By the list as it is now that nobody else changes it.
absl::Status LockKeys(const std::string& list_file, KeyLocks& locks) {
  const absl::StatusOr<std::vector<KeystoreEntry>> entries = ReadKeystoreList(list_file);
  if (!entries.ok()) return entries.status();
  RaiseDescriptorLimit();
  for (const KeystoreEntry& entry : *entries) {
    if (const absl::Status status = locks.Add(entry.pubkey, entry.path); !status.ok()) {
      return absl::Status(status.code(), absl::StrCat(entry.origin, ": ", status.message()));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<LockedKeystores> OpenLockedKeystores(const std::string& list_file, bool changes_list,
                                                    const PasswordSource& password, unsigned threads, KeyLocks& locks) {
  const absl::StatusOr<std::vector<KeystoreEntry>> entries = ReadKeystoreList(list_file);
  if (!entries.ok()) return entries.status();
  const std::vector<std::string> key_folders = KeyFolders(*entries);
  std::vector<std::string> folders = key_folders;
  if (changes_list) folders.push_back(FolderOf(list_file));
  absl::StatusOr<std::vector<ProcessLock>> folder_locks = LockKeyFolders(folders);
  if (!folder_locks.ok()) return folder_locks.status();
  if (absl::Status status = LockKeys(list_file, locks); !status.ok()) return status;
  absl::StatusOr<Keystores> keystores = OpenKeystores(list_file, password, threads);
  if (!keystores.ok()) return keystores.status();
  if (keystores->folders != key_folders) {
    return absl::AbortedError(absl::StrCat(list_file, " was changed while it was opened: start again"));
  }
  return LockedKeystores{*std::move(keystores), *std::move(folder_locks)};
}

}  // namespace lean::validator
