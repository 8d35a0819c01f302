#include "validator_client/commands/locked_keystores.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "validator_client/keystore_list.h"

namespace lean::validator {

absl::StatusOr<LockedKeystores> OpenLockedKeystores(const std::string& list_file, bool changes_list,
                                                    const PasswordSource& password, unsigned threads) {
  const absl::StatusOr<std::vector<KeystoreEntry>> entries = ReadKeystoreList(list_file);
  if (!entries.ok()) return entries.status();
  const std::vector<std::string> key_folders = KeyFolders(*entries);
  std::vector<std::string> folders = key_folders;
  if (changes_list) folders.push_back(FolderOf(list_file));
  absl::StatusOr<std::vector<ProcessLock>> locks = LockKeyFolders(folders);
  if (!locks.ok()) return locks.status();
  absl::StatusOr<Keystores> keystores = OpenKeystores(list_file, password, threads);
  if (!keystores.ok()) return keystores.status();
  if (keystores->folders != key_folders) {
    return absl::AbortedError(absl::StrCat(list_file, " was changed while it was opened: start again"));
  }
  return LockedKeystores{*std::move(keystores), *std::move(locks)};
}

}  // namespace lean::validator
