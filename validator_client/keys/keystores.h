// Opens the keystores of a list as signing keys.
#ifndef LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORES_H_
#define LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORES_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/bytes/bytes.h"
#include "common/log/logger.h"
#include "validator_client/keys/keystore/key_file.h"
#include "validator_client/signing/records/key_locks.h"
#include "validator_client/signing/signer.h"
#include "validator_client/signing/signing_records.h"

namespace lean::validator {

// The number of threads for work on keys.
unsigned KeyThreads();

// 1 GiB of memory at scrypt's largest cost.
inline constexpr unsigned kKeysOpenedAtOnce = 4;

// The state in a key's file.
struct StoredState {
  PublicKeyBytes pubkey;
  KeyState state;
  std::string origin;  // "FILE:LINE: FILE", for messages
};

struct Keystores {
  std::vector<ValidatorKey> keys;    // at least one; not prepared yet
  std::vector<StoredState> states;   // of the keys, in the same order
  uint32_t log_lifetime = 0;         // of all of them
  std::vector<std::string> folders;  // of the key files
};

// Called after each opened key, on any thread, one call at a time.
using OpenProgress = std::function<void(size_t opened, size_t total)>;

// Reads the list and opens all its key files. Calls `password` if a file is encrypted. Opens as many files at once as
// there are cores, but at most kKeysOpenedAtOnce, since each takes up to kMaxScryptBytes. A key uses `threads` threads
// to prepare itself. Errors begin with "FILE:LINE: " of the list: those of ReadKeystoreList and OpenKeyFile; a key that
// is not the pubkey in the list; keys of different lifetimes. FailedPrecondition: a file was exported without its
// records, so that nobody signs from it.
absl::StatusOr<Keystores> OpenKeystores(const std::string& list_file, const PasswordSource& password, unsigned threads,
                                        const OpenProgress& progress = nullptr);

// Whether records that end at `highest` reach the state of a keystore that is to be added. `never_signed`: the operator
// says that the key has signed nothing. FailedPrecondition: its records are missing, and the message says what to do.
absl::Status CheckReach(const KeyState& state, std::optional<uint64_t> highest, bool never_signed);

// Detects records that went back, for example because they were restored from a copy. FailedPrecondition: a key's file
// knows of a signed slot above the records; the message says what to do. `records_name` is the name in it. Other
// errors: those of the records.
absl::Status CheckRecordsReach(const std::vector<StoredState>& states, SigningRecords& records,
                               const std::string& records_name);

// The keystores of this process, locked against other processes.
struct LockedKeystores {
  Keystores keystores;
  std::vector<std::string> key_files;
  std::vector<ProcessLock> folders;
};

struct LockedKeystoresOptions {
  std::string list_file;
  bool changes_list = false;  // keys may be added and removed, so the folder of the list is locked, too
  unsigned threads = 1;       // for the preparation of a key
};

// Locks the folders of the listed key files, with `changes_list` also that of the list, then each key in `locks`. Only
// then asks for the password and opens the files, so that a key that another process has just removed is not opened.
// Logs the progress at most every five seconds. Errors of LockKeyFolders, OpenKeystores and, after the entry's
// "FILE:LINE: ", of KeyLocks::Add. Aborted: the list was changed meanwhile.
absl::StatusOr<LockedKeystores> OpenLockedKeystores(const LockedKeystoresOptions& options,
                                                    const PasswordSource& password, KeyLocks& locks,
                                                    spdlog::logger& log);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORES_H_
