// The parts of a validator client, the order in which they start and stop, and `lean-validator run`.
#ifndef LEAN_VALIDATOR_CLIENT_COMMANDS_VALIDATOR_CLIENT_H_
#define LEAN_VALIDATOR_CLIENT_COMMANDS_VALIDATOR_CLIENT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/clock/clock.h"
#include "common/concurrency/worker_pool.h"
#include "common/crypto/signature_scheme.h"
#include "common/log/logger.h"
#include "common/metrics/metrics_server.h"
#include "common/process/stop_signals.h"
#include "common/rpc/connections/listener_watch.h"
#include "common/rpc/connections/receive_budget.h"
#include "common/rpc/security_watch.h"
#include "common/rpc/server/server.h"
#include "common/rpc/tls_files.h"
#include "common/secrets/random_source.h"
#include "validator_client/beacons/beacon_calls.h"
#include "validator_client/beacons/beacon_pool.h"
#include "validator_client/beacons/grpc_beacon_client.h"
#include "validator_client/commands/expected_network.h"
#include "validator_client/commands/key_options.h"
#include "validator_client/duties/validator_metrics.h"
#include "validator_client/duties/validator_service.h"
#include "validator_client/keymanager/keymanager_server.h"
#include "validator_client/keys/foreign_votes.h"
#include "validator_client/keys/key_preparer.h"
#include "validator_client/keys/live_keys.h"
#include "validator_client/signing/records/key_locks.h"
#include "validator_client/signing/records/sqlite_signing_records.h"
#include "validator_client/signing/remote_signer.h"
#include "validator_client/signing/signer.h"
#include "validator_client/signing/slot_limit.h"

namespace lean::validator {

// The options of `lean-validator run`.
struct RunOptions {
  std::string keystores;      // YAML list; empty: `signer` is given
  std::string password_file;  // of encrypted key files; empty: ask on the terminal
  std::string signer;         // address of a lean.v1.Signer that has the keys; empty: `keystores` is given
  rpc::ClientTlsFiles signer_tls;
  std::vector<std::string> beacons = {"127.0.0.1:5052"};  // the best first
  bool broadcast = false;                                 // submit signed items to all of them
  NetworkOptions network;
  uint64_t allow_slots_to = 0;  // SlotLimit allows keys to sign up to this slot; 0: not given
  std::string records;          // signing records; empty: beside the keystores
  bool new_keys = false;        // keys without records may sign although the chain has votes of them
  bool watch = true;            // watch for a second client before the first signature
  rpc::ClientTlsFiles tls;
  std::string metrics_address;         // HOST:PORT or PORT; empty: no metrics are served
  KeymanagerServerOptions keymanager;  // without an address none is served
};

// The signer and the parts that it uses; a member depends on those above it. The members up to signed_a_moment_ago
// are used with keys of this process, remote_records with a remote signer.
struct SigningParts {
  uint32_t log_lifetime = 0;  // of all keys
  std::unique_ptr<KeystorePassword> password_source;
  std::vector<std::string> key_files;
  const Password* password =
      nullptr;  // of password_source, for keys that are added later; null: not available or not needed
  std::vector<ProcessLock> folder_locks;
  KeyLocks key_locks;
  std::unique_ptr<SqliteSigningRecords> records;
  bool signed_a_moment_ago = false;  // by this machine, into these records
  RemoteRecords remote_records;
  std::shared_ptr<rpc::TlsFiles> signer_tls;  // null: without TLS
  std::unique_ptr<WorkerPool> pool;
  std::unique_ptr<Signer> signer;
};

// Opens the keys of options.keystores, or connects to the signer at options.signer. Asks for a password until `stop` is
// requested. `limit` must outlive the result, which must not be moved.
absl::StatusOr<std::unique_ptr<SigningParts>> OpenSigningParts(const RunOptions& options, SlotLimit& limit,
                                                               const std::stop_token& stop,
                                                               const std::shared_ptr<spdlog::logger>& log);

class ValidatorClient {
 public:
  // Starts all parts. Asks for a password until `stop` is requested. Errors are those of the parts, and name the
  // option, file or address. After an error, all parts that had started have stopped.
  static absl::StatusOr<std::unique_ptr<ValidatorClient>> Start(const RunOptions& options, const std::stop_token& stop,
                                                                const std::shared_ptr<spdlog::logger>& log);

  // Stops all parts, in the opposite order of their start.
  ~ValidatorClient();
  ValidatorClient(const ValidatorClient&) = delete;
  ValidatorClient& operator=(const ValidatorClient&) = delete;

  // Does the duties until Stop is called. Returns OK after Stop, otherwise the error that ended it.
  absl::Status Run() { return service_->Run(); }

  // Ends Run and all waits for beacons and callers. May be called from any thread.
  void Stop();

  // The addresses on which it listens, with the ports that the system chose; empty if it does not.
  std::string metrics_address() const { return metrics_server_ == nullptr ? "" : metrics_server_->address(); }
  std::string keymanager_address() const { return keymanager_ == nullptr ? "" : keymanager_->address().ToString(); }

 private:
  ValidatorClient(const RunOptions& options, ExpectedNetwork expected, const std::shared_ptr<spdlog::logger>& log);

  // Start the parts in the order of the members.
  absl::Status StartParts(const std::stop_token& stop);
  absl::Status ConnectBeacons();
  absl::Status StartDuties();
  absl::Status StartServers();
  // Null when no keymanager is configured.
  absl::StatusOr<std::unique_ptr<rpc::PooledServer>> StartKeymanager();
  void LogStart();
  void WarnOfGroupReadableSecrets();

  const RunOptions options_;
  const std::shared_ptr<spdlog::logger> log_;
  ExpectedNetwork expected_;
  std::stop_source stopping_;

  // The parts start in the order of these members and stop in the opposite order, also after a failed start. A part
  // uses the parts above it.
  RealClock clock_;
  SlotLimit limit_;
  std::unique_ptr<SigningParts> signing_;
  // Outlives the clients: it ends their threads when a beacon sends without end.
  std::unique_ptr<rpc::ReceiveBudget> receive_budget_;
  std::unique_ptr<rpc::SecurityWatch> security_;
  std::vector<std::unique_ptr<GrpcBeaconClient>> beacons_;
  std::optional<crypto::SignatureScheme> scheme_;  // of the keys
  SystemRandomSource random_;
  std::mt19937_64 watch_random_;
  std::unique_ptr<KeyPreparer> preparer_;
  std::unique_ptr<LiveKeys> keys_;
  std::unique_ptr<BeaconLanes> lanes_;
  std::unique_ptr<BeaconPool> pool_;
  std::shared_ptr<metrics::Registry> registry_;
  std::unique_ptr<ValidatorMetrics> metrics_;
  std::unique_ptr<ForeignVotes> foreign_votes_;
  std::unique_ptr<ValidatorService> service_;
  std::unique_ptr<rpc::ListenerWatch> listeners_;
  std::unique_ptr<metrics::MetricsServer> metrics_server_;  // null when not configured
  std::unique_ptr<rpc::PooledServer> keymanager_;           // likewise
};

// Runs a validator client until a signal to stop. Returns OK after a signal, when everything has ended; a signal during
// the start stops it, too. Otherwise returns the error that ended it.
absl::Status Run(const RunOptions& options, StopSignals& signals, const std::shared_ptr<spdlog::logger>& log);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_COMMANDS_VALIDATOR_CLIENT_H_
