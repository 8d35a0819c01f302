#include "validator_client/keys/keystores.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "common/bytes/bytes.h"
#include "common/clock/clock.h"
#include "common/concurrency/mutex.h"
#include "common/process/descriptors.h"
#include "common/status/status_macros.h"
#include "validator_client/keys/keystore/keystore_list.h"
#include "validator_client/keys/xmss_signing_key.h"

namespace lean::validator {
namespace {

constexpr unsigned kMaxThreads = 8;

absl::Status At(const std::string& origin, absl::StatusCode code, absl::string_view message) {
  return absl::Status(code, absl::StrCat(origin, ": ", message));
}

// Opens the files of a list on several threads. Each thread takes the next file. Starts no file after an error.
class FileOpener {
 public:
  FileOpener(const std::vector<KeystoreEntry>& entries, const PasswordSource& password, const OpenProgress& progress)
      : entries_(entries), password_(password), progress_(progress), files_(entries.size()) {}

  // In the order of the list. Unknown for files that were not started because of an error.
  std::vector<absl::StatusOr<OpenedKeyFile>> Open() {
    const size_t count = std::min<size_t>({KeyThreads(), kKeysOpenedAtOnce, entries_.size()});
    std::vector<std::thread> threads;
    for (size_t i = 1; i < count; ++i) threads.emplace_back([this] { Work(); });
    Work();
    for (std::thread& thread : threads) thread.join();
    return std::move(files_);
  }

 private:
  void Work() {
    const PasswordSource password = [this] {
      MutexLock lock(password_mutex_);
      return password_();
    };
    while (!failed_) {
      const size_t next = next_++;
      if (next >= entries_.size()) return;
      files_[next] = OpenKeyFile(entries_[next].path, password);
      if (!files_[next].ok()) failed_ = true;
      MutexLock lock(progress_mutex_);
      ++opened_;
      if (progress_ != nullptr) progress_(opened_, entries_.size());
    }
  }

  const std::vector<KeystoreEntry>& entries_;
  const PasswordSource& password_;
  const OpenProgress& progress_;
  std::vector<absl::StatusOr<OpenedKeyFile>> files_;  // each written by the thread that took its number
  std::atomic<size_t> next_{0};
  std::atomic<bool> failed_{false};
  Mutex password_mutex_;
  Mutex progress_mutex_;
  size_t opened_ ABSL_GUARDED_BY(progress_mutex_) = 0;
};

constexpr std::chrono::seconds kProgressEvery{5};

absl::Status RecoveryOnly(const StoredState& stored) {
  return absl::FailedPreconditionError(
      absl::StrCat(stored.origin,
                   " was exported without its signing records, so it does not sign (state.authority is "
                   "\"none\"): import it together with them, by lean-validator keys import --from FILE "
                   "--records-input RECORDS"));
}

// Reads the list again, since no other process can change it now.
absl::Status LockKeys(const std::string& list_file, KeyLocks& locks) {
  ASSIGN_OR_RETURN(const std::vector<KeystoreEntry> entries, ReadKeystoreList(list_file));
  RaiseDescriptorLimit();
  for (const KeystoreEntry& entry : entries) {
    RETURN_IF_ERROR(locks.Add(entry.pubkey, entry.path),
                    absl::Status(_.code(), absl::StrCat(entry.origin, ": ", _.message())));
  }
  return absl::OkStatus();
}

}  // namespace

unsigned KeyThreads() { return std::clamp(std::thread::hardware_concurrency(), 1u, kMaxThreads); }

absl::StatusOr<Keystores> OpenKeystores(const std::string& list_file, const PasswordSource& password, unsigned threads,
                                        const OpenProgress& progress) {
  ASSIGN_OR_RETURN(const std::vector<KeystoreEntry> entries, ReadKeystoreList(list_file));
  Keystores keystores;
  keystores.folders = KeyFolders(entries);
  std::vector<absl::StatusOr<OpenedKeyFile>> files = FileOpener(entries, password, progress).Open();
  for (size_t i = 0; i < files.size(); ++i) {
    const KeystoreEntry& entry = entries[i];
    RETURN_IF_ERROR(files[i].status(), At(entry.origin, _.code(), _.message()));
    keystores.states.push_back({entry.pubkey, files[i]->state, absl::StrCat(entry.origin, ": ", entry.path)});
    if (files[i]->state.recovery_only) return RecoveryOnly(keystores.states.back());
    auto key = std::make_shared<XmssSigningKey>(entry.path, *std::move(files[i]), threads);
    if (key->pubkey() != entry.pubkey) {
      return At(entry.origin, absl::StatusCode::kInvalidArgument,
                absl::StrCat(entry.path, " holds the key ", ToHex(key->pubkey().span()), ", the list says ",
                             ToHex(entry.pubkey.span())));
    }
    if (keystores.keys.empty()) {
      keystores.log_lifetime = key->log_lifetime();
    } else if (key->log_lifetime() != keystores.log_lifetime) {
      return At(entry.origin, absl::StatusCode::kInvalidArgument,
                absl::StrCat(entry.path, " is a key of lifetime 2^", key->log_lifetime(), ", those before it have 2^",
                             keystores.log_lifetime, ": one process works for one network"));
    }
    keystores.keys.push_back(ValidatorKey{entry.index, std::move(key), entry.origin});
  }
  return keystores;
}

absl::Status CheckReach(const KeyState& state, std::optional<uint64_t> highest, bool never_signed) {
  if (state.high_water > highest) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the key had signed up to slot ", *state.high_water, " when its file was written, and the records here ",
        highest.has_value() ? absl::StrCat("end at slot ", *highest) : "do not have it",
        ": import its records with it"));
  }
  if (state.recovery_only && !highest.has_value() && !never_signed) {
    return absl::FailedPreconditionError(
        "the file was exported without its signing records: import its records with it, or say --never-signed if this "
        "key has never signed anything anywhere");
  }
  return absl::OkStatus();
}

absl::Status CheckRecordsReach(const std::vector<StoredState>& states, SigningRecords& records,
                               const std::string& records_name) {
  for (const StoredState& stored : states) {
    if (!stored.state.high_water.has_value()) continue;
    ASSIGN_OR_RETURN(const std::optional<uint64_t> highest, records.HighestSlot(stored.pubkey));
    if (highest >= stored.state.high_water) continue;
    const std::string found = highest.has_value() ? absl::StrCat(" end at slot ", *highest) : " do not have the key";
    return absl::FailedPreconditionError(absl::StrCat(
        stored.origin, ": this key had signed up to slot ", *stored.state.high_water,
        " when its file was written (state.high_water), but the signing records ", records_name, found,
        ". They went back, for example to an old copy, and nothing is signed with them. Import newer records "
        "(lean-validator records import). If there are none, make sure that no other machine has the key, and close "
        "every slot that may be signed: lean-validator records raise --slot SLOT, where SLOT is later than now"));
  }
  return absl::OkStatus();
}

absl::StatusOr<LockedKeystores> OpenLockedKeystores(const LockedKeystoresOptions& options,
                                                    const PasswordSource& password, KeyLocks& locks,
                                                    spdlog::logger& log) {
  ASSIGN_OR_RETURN(const std::vector<KeystoreEntry> entries, ReadKeystoreList(options.list_file));
  const std::vector<std::string> key_folders = KeyFolders(entries);
  std::vector<std::string> folders = key_folders;
  if (options.changes_list) folders.push_back(FolderOf(options.list_file));
  ASSIGN_OR_RETURN(std::vector<ProcessLock> folder_locks, LockKeyFolders(folders));
  RETURN_IF_ERROR(LockKeys(options.list_file, locks));
  log.info("keys opening keys={} list={}", entries.size(), options.list_file);
  const RealClock clock;
  SteadyTime told = clock.Steady();
  ASSIGN_OR_RETURN(Keystores keystores,
                   OpenKeystores(options.list_file, password, options.threads, [&](size_t opened, size_t total) {
                     const SteadyTime now = clock.Steady();
                     if (now - told < kProgressEvery) return;
                     told = now;
                     log.info("keys opening opened={} of={}", opened, total);
                   }));
  if (keystores.folders != key_folders) {
    return absl::AbortedError(absl::StrCat(options.list_file, " was changed while it was opened: start again"));
  }
  std::vector<std::string> key_files;
  for (const KeystoreEntry& entry : entries) key_files.push_back(entry.path);
  return LockedKeystores{std::move(keystores), std::move(key_files), std::move(folder_locks)};
}

}  // namespace lean::validator
