// The keystores of a process, which no other process works with or changes.
#ifndef LEAN_VALIDATOR_CLIENT_KEYS_LOCKED_KEYSTORES_H_
#define LEAN_VALIDATOR_CLIENT_KEYS_LOCKED_KEYSTORES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/log/logger.h"
#include "validator_client/keys/keystores.h"
#include "validator_client/signing/records/key_locks.h"

namespace lean::validator {

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

#endif  // LEAN_VALIDATOR_CLIENT_KEYS_LOCKED_KEYSTORES_H_
