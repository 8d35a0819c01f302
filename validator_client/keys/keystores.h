// From the list of keystores to keys that can sign.
#ifndef LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORES_H_
#define LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORES_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/log/logger.h"
#include "validator_client/keys/keystore/key_file.h"
#include "validator_client/signing/records/key_locks.h"
#include "validator_client/signing/signer.h"

namespace lean::validator {

// Threads that the work of keys may take.
unsigned KeyThreads();

// 1 GiB of memory at scrypt's largest cost.
inline constexpr unsigned kKeysOpenedAtOnce = 4;

struct Keystores {
  std::vector<ValidatorKey> keys;    // at least one; nothing is prepared yet
  uint32_t log_lifetime = 0;         // of all of them
  std::vector<std::string> folders;  // of the key files
};

// Told of another opened key, one call at a time, on any thread.
using OpenProgress = std::function<void(size_t opened, size_t total)>;

// Reads the list and opens every key file in it, asking `password` if one of them is encrypted. Several files are
// opened at once, as many as there are cores, but no more than kKeysOpenedAtOnce: each takes up to kMaxScryptBytes. A
// key prepares itself on `threads` threads. Errors begin with "FILE:LINE: " of the list: those of ReadKeystoreList;
// those of OpenKeyFile; a key that is not the pubkey of the list; keys of different lifetimes.
absl::StatusOr<Keystores> OpenKeystores(const std::string& list_file, const PasswordSource& password, unsigned threads,
                                        const OpenProgress& progress = nullptr);

// The keystores of a process, which no other process works with or changes.
struct LockedKeystores {
  Keystores keystores;
  std::vector<std::string> key_files;
  std::vector<ProcessLock> folders;
};

struct LockedKeystoresOptions {
  std::string list_file;
  bool changes_list = false;  // keys may come and go, so the list's folder is locked, too
  unsigned threads = 1;       // that a key prepares itself on
};

// Locks the folders of the listed key files, and with `changes_list` that of the list, then each key in `locks`. Only
// then a password is asked for and the files are opened: a key that another process has just taken out of use is not
// among them. Errors of LockKeyFolders, of OpenKeystores and, with the entry's "FILE:LINE: ", of KeyLocks::Add;
// Aborted: the list was changed at that very moment.
// Logs how many are opened, at most every five seconds.
absl::StatusOr<LockedKeystores> OpenLockedKeystores(const LockedKeystoresOptions& options,
                                                    const PasswordSource& password, KeyLocks& locks,
                                                    spdlog::logger& log);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORES_H_
