#include "validator_client/commands/sign_server.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/clock/clock.h"
#include "common/clock/slot_clock.h"
#include "common/concurrency/worker_pool.h"
#include "common/process/stop_signals.h"
#include "common/rpc/connections/listener_watch.h"
#include "common/rpc/security_watch.h"
#include "common/secrets/secret_file.h"
#include "common/status/status_macros.h"
#include "validator_client/commands/expected_network.h"
#include "validator_client/commands/key_options.h"
#include "validator_client/keys/key_admission.h"
#include "validator_client/keys/key_preparer.h"
#include "validator_client/keys/keystores.h"
#include "validator_client/signing/records/sqlite_signing_records.h"
#include "validator_client/signing/signer.h"
#include "validator_client/signing/signer_service.h"

namespace lean::validator {
namespace {

absl::Status CheckKnown(const std::vector<ValidatorKey>& keys, SigningRecords& records, const std::string& path) {
  for (const ValidatorKey& key : keys) {
    ASSIGN_OR_RETURN(const auto highest, records.HighestSlot(key.key->pubkey()));
    if (highest.has_value()) continue;
    return absl::FailedPreconditionError(
        absl::StrCat(key.origin, ": ", path,
                     " has no records of this key, which may have signed before; import its "
                     "records, or say --new-keys if it never signed"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status SignServer(const SignServerOptions& options, StopSignals& signals,
                        const std::shared_ptr<spdlog::logger>& log) {
  rpc::ServerOptions server_options;
  server_options.name = "signer";
  server_options.address = options.listen;
  server_options.tls = options.tls;
  server_options.log = log;
  RETURN_IF_ERROR(CheckSignerAddress(server_options));
  std::vector<std::string> warnings;
  absl::StatusOr<ExpectedNetwork> expected = MakeExpectedNetwork(options.network, warnings);
  for (const std::string& warning : warnings) log->warn("network odd message=\"{}\"", warning);
  RETURN_IF_ERROR(expected.status());
  KeyLocks key_locks;
  bool stopped = false;
  const auto told = [&](const char* signal) {
    stopped = true;
    log->info("stopping signal={}", signal);
  };
  absl::StatusOr<LockedKeystores> opened;
  const absl::Status opening = RunOrExit(
      signals, /*exit_code=*/0,
      [&](std::stop_token stop) {
        KeystorePassword password(options.password_file, KeystorePassword::kExisting, std::move(stop));
        opened = OpenLockedKeystores(
            {.list_file = options.keystores, .changes_list = false, .threads = std::max(1u, KeyThreads() / 2)},
            password.source(), key_locks, *log);
        return opened.status();
      },
      told);
  if (stopped) return absl::OkStatus();
  RETURN_IF_ERROR(opening);
  Keystores& keystores = opened->keystores;
  RETURN_IF_ERROR(ExpectKeys(options.network, RegisteredKeysOf(keystores.keys), keystores.log_lifetime, *expected));
  const NetworkIdentity& network = *expected->network;  // a genesis folder has all of it
  ASSIGN_OR_RETURN(const std::unique_ptr<SqliteSigningRecords> records,
                   SqliteSigningRecords::Open({.path = options.records, .create = true}));
  RETURN_IF_ERROR(CheckRecordsReach(keystores.states, *records, options.records));
  if (!options.new_keys) {
    RETURN_IF_ERROR(CheckKnown(keystores.keys, *records, options.records));
  }

  RealClock clock;
  const SlotClock slots(network.genesis_time, network.slot_duration_ms);
  KeyPreparer preparer(keystores.keys, clock, log);
  WorkerPool pool(KeyThreads(), keystores.keys.size());
  SlotLimit limit(clock, network.slot_duration_ms);
  limit.TrustGenesis(slots);
  Signer signer(std::move(keystores.keys), *records, limit,
                [&pool](std::function<void()> task) { pool.SubmitOrRun(std::move(task)); });
  // Another process may have signed in the current slot, whatever the records say.
  const uint64_t first_slot = static_cast<uint64_t>(std::max<int64_t>(slots.At(clock.WallMs()).slot + 1, 0));
  const SignRequests requests(signer, *records, clock, slots, first_slot, log);
  ASSIGN_OR_RETURN(const auto server, StartSignerServer(requests, server_options));
  log->info("signer listening address={} keys={} records={} first_slot={}", server->address().ToString(),
            signer.keys()->size(), options.records, first_slot);
  std::vector<std::string> secrets = std::move(opened->key_files);
  secrets.insert(secrets.end(), {options.password_file, options.tls.key});
  if (const std::string warning = GroupReadableWarning(secrets); !warning.empty()) {
    log->warn("secrets open to a group message=\"{}\"", warning);
  }
  rpc::ListenerWatch listeners(clock, log);
  listeners.Add("signer", server->address());
  rpc::SecurityWatch security(clock, log);
  security.Add(server->server());
  preparer.Check(first_slot, std::chrono::milliseconds(network.slot_duration_ms));
  return RunUntilStopped(
      signals,
      [&] {
        KeepPrepared(clock, slots, preparer);
        return absl::OkStatus();
      },
      [&](const char* signal) {
        told(signal);
        server->Stop();
        clock.Interrupt();
        preparer.Stop();
      });
}

}  // namespace lean::validator
