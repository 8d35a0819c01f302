// What signs in `lean-validator run`, with all that it stands on.
#ifndef LEAN_VALIDATOR_CLIENT_COMMANDS_SIGNING_SIDE_H_
#define LEAN_VALIDATOR_CLIENT_COMMANDS_SIGNING_SIDE_H_

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/concurrency/worker_pool.h"
#include "common/log/logger.h"
#include "validator_client/commands/keystore_password.h"
#include "validator_client/commands/run_options.h"
#include "validator_client/signing/records/key_locks.h"
#include "validator_client/signing/records/sqlite_signing_records.h"
#include "validator_client/signing/remote_signer.h"
#include "validator_client/signing/signer.h"

namespace lean::validator {

// In the order of their dependence. The members up to signed_a_moment_ago are those of own keys, remote_records that of
// a signer elsewhere.
struct SigningSide {
  uint32_t log_lifetime = 0;  // of all keys
  std::unique_ptr<KeystorePassword> password_source;
  std::vector<std::string> key_files;
  const Password* password = nullptr;  // of password_source, for keys that come later; null: none is at hand or needed
  std::vector<ProcessLock> folder_locks;
  KeyLocks key_locks;
  std::unique_ptr<SqliteSigningRecords> records;
  bool signed_a_moment_ago = false;  // by this machine, into these records
  RemoteRecords remote_records;
  std::unique_ptr<WorkerPool> pool;
  std::unique_ptr<Signer> signer;
};

// With the keys of options.keystores, or those of the signer at options.signer. What is returned must not move. A
// password is asked for until `stop` is requested. `limit` must outlive what is returned.
absl::StatusOr<std::unique_ptr<SigningSide>> OpenSigningSide(const RunOptions& options, SlotLimit& limit,
                                                             const std::stop_token& stop, spdlog::logger& log);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_COMMANDS_SIGNING_SIDE_H_
