// Sets the metrics of lean-beacon that are read at a scrape.
#ifndef LEAN_BEACON_COMMANDS_BEACON_METRICS_READER_H_
#define LEAN_BEACON_COMMANDS_BEACON_METRICS_READER_H_

#include <functional>
#include <set>
#include <string>

#include "beacon/commands/beacon_metrics.h"
#include "beacon/http/http_service.h"
#include "beacon/network/network.h"
#include "beacon/rpc/rpc_service.h"
#include "beacon/services/chain_service.h"
#include "beacon/services/events/event_history.h"
#include "beacon/storage/database/chain_database.h"
#include "beacon/storage/storage_service.h"
#include "beacon/sync/sync_status.h"
#include "common/log/logger.h"
#include "common/rpc/connections/listener_watch.h"
#include "common/rpc/security_watch.h"

namespace lean::beacon {

// What is read. All of it outlives the scrapes of the registry.
struct MeteredBeacon {
  const ChainService& chain;
  const Network& network;
  std::function<SyncStatus()> sync;
  std::function<const RpcService*()> rpc;  // null: it has not started yet
  const EventHistory& events;
  const rpc::ListenerWatch& listeners;
  const rpc::SecurityWatch& security;
  const spdlog::logger& log;
  const HttpService* http = nullptr;        // null: there is none; its metrics stay 0
  const ChainDatabase* database = nullptr;  // null without a data folder, like the next: its metrics are missing then
  const StorageService* storage = nullptr;
};

// What is counted elsewhere is read at a scrape, so that it costs nothing on the path of a block or vote.
class BeaconMetricsReader {
 public:
  // Reads from the first scrape on. The metrics and the reader outlive the scrapes.
  BeaconMetricsReader(BeaconMetrics& metrics, MeteredBeacon beacon);
  BeaconMetricsReader(const BeaconMetricsReader&) = delete;
  BeaconMetricsReader& operator=(const BeaconMetricsReader&) = delete;

 private:
  void RefreshChain();
  void RefreshNetwork();
  void RefreshPeers();
  void RefreshConnections(const NetworkCounts& counts);
  void RefreshSync();
  void RefreshStorage();
  void RefreshHttp();
  void RefreshProcess();
  metrics::FootprintList SyncQueues() const;

  const MeteredBeacon beacon_;
  BeaconMetrics& m_;
  std::set<std::string> clients_ = {"unknown"};  // that were told of so far
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_COMMANDS_BEACON_METRICS_READER_H_
