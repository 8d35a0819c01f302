// Beacon: its members are its parts, in the order in which they start.
#ifndef LEAN_BEACON_COMMANDS_BEACON_H_
#define LEAN_BEACON_COMMANDS_BEACON_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "beacon/commands/beacon_metrics.h"
#include "beacon/commands/beacon_metrics_reader.h"
#include "beacon/commands/start_chain.h"
#include "beacon/http/http_service.h"
#include "beacon/network/network.h"
#include "beacon/rpc/rpc_service.h"
#include "beacon/services/block_source.h"
#include "beacon/services/chain_observer.h"
#include "beacon/services/chain_service.h"
#include "beacon/services/events/event_history.h"
#include "beacon/storage/database/chain_database.h"
#include "beacon/storage/storage_service.h"
#include "beacon/sync/backfill.h"
#include "beacon/sync/sync_context.h"
#include "beacon/sync/sync_service.h"
#include "beacon/sync/sync_status.h"
#include "common/clock/clock.h"
#include "common/clock/slot_clock.h"
#include "common/log/logger.h"
#include "common/metrics/metrics_server.h"
#include "common/rpc/connections/listener_watch.h"
#include "common/rpc/security_watch.h"
#include "common/rpc/tls.h"

namespace lean::beacon {

struct BeaconOptions {
  std::string genesis_dir;
  std::string name = "beacon";         // letters, digits, '-', '_', '.'
  std::string data_dir;                // empty: the chain is kept in memory only
  std::optional<uint64_t> keep_slots;  // blocks further behind finality are deleted; nullopt: none
  std::string checkpoint;              // file or address to start from; empty: genesis
  std::string checkpoint_root;         // root of its block, in hex
  std::string rpc_address = "127.0.0.1:5052";
  rpc::ServerTlsFiles tls;
  bool insecure_rpc = false;      // serve other machines without client certificates
  std::string checkpoint_tls_ca;  // authority of the beacon at `checkpoint`; empty: without TLS
  HttpServiceOptions http;
  std::string metrics_address;  // HOST:PORT or PORT; empty: no metrics
  std::string network_engine;   // unix:PATH of the network engine; empty: no peers
};

// Runs from Start until it is destroyed.
class Beacon {
 public:
  // Starts all parts. Errors are those of the parts and name the option, file or address; after an error everything has
  // stopped. CANCELLED: `stop` was requested first. A later request ends what would delay the destruction. `clock`
  // outlives the beacon.
  static absl::StatusOr<std::unique_ptr<Beacon>> Start(const BeaconOptions& options, Clock& clock, std::stop_token stop,
                                                       const std::shared_ptr<spdlog::logger>& log);

  // Stops every part, in order.
  ~Beacon();
  Beacon(const Beacon&) = delete;
  Beacon& operator=(const Beacon&) = delete;

  // The addresses on which it listens, with the ports that the system has chosen; empty: it does not listen.
  std::string rpc_address() const { return rpc_->address().ToString(); }
  std::string metrics_address() const { return metrics_server_ == nullptr ? "" : metrics_server_->address(); }

 private:
  class ChainRun;
  class HealthSignals;

  Beacon(const BeaconOptions& options, ChainParameters parameters, StartedChain started, Clock& clock,
         const std::shared_ptr<spdlog::logger>& log);

  // Starts the parts in the order of the members.
  absl::Status StartParts();
  bool has_engine() const { return !options_.network_engine.empty(); }
  ChainServiceContext ChainContext();
  KeptChain Kept() const;
  ServedChain Served();
  void LogStart();

  const BeaconOptions options_;
  const std::shared_ptr<spdlog::logger> log_;
  Clock& clock_;
  const ChainParameters parameters_;

  // The parts start in the order of these members and stop in the opposite order, also when a part fails to start. A
  // part uses those above it. The chain is the exception: the network submits peers' items to it, and it calls the
  // network back. So it exists before the network, and its threads run only while the network exists (ChainRun).
  const SlotClock slots_;
  const std::shared_ptr<metrics::Registry> registry_;
  BeaconMetrics metrics_;
  EventHistory events_;                            // of the chain, the network and the sync
  const std::unique_ptr<ChainDatabase> database_;  // null without a data folder, like the next
  const std::unique_ptr<StorageService> storage_;
  OutboundChannel outbound_;  // from the chain to the network
  SyncBoard sync_board_;
  const std::shared_ptr<SyncInbox> sync_inbox_;  // from the chain to the sync
  ChainService chain_;
  const std::unique_ptr<const BlockSource> blocks_;
  std::unique_ptr<Network> network_;
  std::unique_ptr<ChainRun> chain_run_;
  std::unique_ptr<Backfill> backfill_;  // null without a data folder
  std::unique_ptr<SyncService> sync_;
  std::unique_ptr<RpcService> rpc_;
  std::atomic<const RpcService*> open_rpc_ = nullptr;  // the same, for scrapes, which begin before it starts
  std::unique_ptr<HttpService> http_;                  // null: there is none
  std::unique_ptr<rpc::ListenerWatch> listeners_;
  std::unique_ptr<rpc::SecurityWatch> security_;
  std::unique_ptr<BeaconMetricsReader> metrics_reader_;
  std::unique_ptr<metrics::MetricsServer> metrics_server_;  // null without a metrics address
  std::unique_ptr<HealthSignals> health_signals_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_COMMANDS_BEACON_H_
