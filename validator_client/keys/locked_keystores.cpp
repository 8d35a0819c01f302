#include "validator_client/keys/locked_keystores.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/process/descriptors.h"
#include "validator_client/keys/keystore_list.h"

namespace lean::validator {
namespace {

constexpr std::chrono::seconds kProgressEvery{5};

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

absl::StatusOr<LockedKeystores> OpenLockedKeystores(const LockedKeystoresOptions& options,
                                                    const PasswordSource& password, KeyLocks& locks,
                                                    spdlog::logger& log) {
  const absl::StatusOr<std::vector<KeystoreEntry>> entries = ReadKeystoreList(options.list_file);
  if (!entries.ok()) return entries.status();
  const std::vector<std::string> key_folders = KeyFolders(*entries);
  std::vector<std::string> folders = key_folders;
  if (options.changes_list) folders.push_back(FolderOf(options.list_file));
  absl::StatusOr<std::vector<ProcessLock>> folder_locks = LockKeyFolders(folders);
  if (!folder_locks.ok()) return folder_locks.status();
  if (absl::Status status = LockKeys(options.list_file, locks); !status.ok()) return status;
  log.info("keys opening keys={} list={}", entries->size(), options.list_file);
  auto told = std::chrono::steady_clock::now();
  absl::StatusOr<Keystores> keystores =
      OpenKeystores(options.list_file, password, options.threads, [&](size_t opened, size_t total) {
        const auto now = std::chrono::steady_clock::now();
        if (now - told < kProgressEvery) return;
        told = now;
        log.info("keys opening opened={} of={}", opened, total);
      });
  if (!keystores.ok()) return keystores.status();
  if (keystores->folders != key_folders) {
    return absl::AbortedError(absl::StrCat(options.list_file, " was changed while it was opened: start again"));
  }
  std::vector<std::string> key_files;
  for (const KeystoreEntry& entry : *entries) key_files.push_back(entry.path);
  return LockedKeystores{*std::move(keystores), std::move(key_files), *std::move(folder_locks)};
}

}  // namespace lean::validator
