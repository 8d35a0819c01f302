// A validator client: its parts, and the order in which they start and stop.
#ifndef LEAN_VALIDATOR_CLIENT_COMMANDS_VALIDATOR_CLIENT_H_
#define LEAN_VALIDATOR_CLIENT_COMMANDS_VALIDATOR_CLIENT_H_

#include <memory>
#include <optional>
#include <random>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/clock/real_clock.h"
#include "common/crypto/signature_scheme.h"
#include "common/crypto/xmss/random_source.h"
#include "common/log/logger.h"
#include "common/metrics/metrics_server.h"
#include "common/process/receive_budget.h"
#include "common/rpc/listener_watch.h"
#include "common/rpc/pooled_server.h"
#include "validator_client/beacons/beacon_calls.h"
#include "validator_client/beacons/beacon_pool.h"
#include "validator_client/beacons/grpc_beacon_client.h"
#include "validator_client/commands/expected_network.h"
#include "validator_client/commands/run_options.h"
#include "validator_client/commands/signing_side.h"
#include "validator_client/duties/validator_metrics.h"
#include "validator_client/duties/validator_service.h"
#include "validator_client/keys/foreign_votes.h"
#include "validator_client/keys/key_preparer.h"
#include "validator_client/keys/live_keys.h"
#include "validator_client/signing/slot_limit.h"

namespace lean::validator {

class ValidatorClient {
 public:
  // Errors as of its parts: they name the option, file or address. What had started has stopped again when it returns.
  // A password is asked for until `stop` is requested.
  static absl::StatusOr<std::unique_ptr<ValidatorClient>> Start(const RunOptions& options, const std::stop_token& stop,
                                                                const std::shared_ptr<spdlog::logger>& log);

  // Stops every part, in order.
  ~ValidatorClient();
  ValidatorClient(const ValidatorClient&) = delete;
  ValidatorClient& operator=(const ValidatorClient&) = delete;

  // Does the duties until Stop is called. Returns OK then, or what ended it before.
  absl::Status Run() { return service_->Run(); }

  // From any thread: ends Run, and every wait on a beacon or a caller.
  void Stop();

  // Where it listens, with the ports that the system chose; empty where it does not.
  std::string metrics_address() const { return metrics_server_ == nullptr ? "" : metrics_server_->address(); }
  std::string keymanager_address() const { return keymanager_ == nullptr ? "" : keymanager_->address().ToString(); }

 private:
  ValidatorClient(const RunOptions& options, ExpectedNetwork expected, const std::shared_ptr<spdlog::logger>& log);

  // Start the parts in the order of the members.
  absl::Status StartParts(const std::stop_token& stop);
  absl::Status ConnectBeacons();
  absl::Status StartDuties();
  absl::Status StartServers();
  // Null: none was asked for.
  absl::StatusOr<std::unique_ptr<rpc::PooledServer>> StartKeymanager();
  void LogStart();
  void WarnOfGroupReadableSecrets();

  const RunOptions options_;
  const std::shared_ptr<spdlog::logger> log_;
  ExpectedNetwork expected_;
  std::stop_source stopping_;

  // The order of these members is the order in which the parts start, and they stop in the opposite order: at the end,
  // and after a start that failed on the way. A part uses those above it.
  RealClock clock_;
  SlotLimit limit_;
  std::unique_ptr<SigningSide> side_;
  // Outlives the clients, whose threads a beacon that sends without end would keep.
  std::unique_ptr<ReceiveBudget> receive_budget_;
  std::vector<std::unique_ptr<GrpcBeaconClient>> beacons_;
  std::optional<crypto::SignatureScheme> scheme_;  // of the keys
  xmss::SystemRandomSource random_;
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
  std::unique_ptr<metrics::MetricsServer> metrics_server_;  // null when it is not asked for
  std::unique_ptr<rpc::PooledServer> keymanager_;           // likewise
};

// Where the keymanager's token is unless a file is named: beside the keystores list.
std::string KeymanagerTokenPath(const std::string& keystores);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_COMMANDS_VALIDATOR_CLIENT_H_
