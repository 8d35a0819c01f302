// All metrics of lean-beacon: names, meanings and labels. docs/metrics.md lists them.
#ifndef LEAN_BEACON_COMMANDS_BEACON_METRICS_H_
#define LEAN_BEACON_COMMANDS_BEACON_METRICS_H_

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "beacon/network/network.h"
#include "beacon/services/chain_service.h"
#include "beacon/storage/database/chain_database.h"
#include "beacon/storage/storage_service.h"
#include "beacon/sync/sync_status.h"
#include "common/log/logger.h"
#include "common/metrics/metrics.h"
#include "common/rpc/connections/listener_watch.h"
#include "lean/v1/network_engine.pb.h"

namespace lean::beacon {

// What the metrics read. All of it outlives the scrapes of the registry.
struct MeteredBeacon {
  const ChainService& chain;
  const Network& network;
  std::function<SyncStatus()> sync;
  const rpc::ListenerWatch& listeners;
  const spdlog::logger& log;
  const ChainDatabase* database = nullptr;  // null without a data folder, like the next: its metrics are missing then
  const StorageService* storage = nullptr;
};

// Sizes of gossip items, as SSZ. Keeps its registry alive.
class GossipSizes {
 public:
  explicit GossipSizes(std::shared_ptr<metrics::Registry> registry) : registry_(std::move(registry)) {}

  void Observe(const v1::GossipItems& items);

 private:
  const std::shared_ptr<metrics::Registry> registry_;
  metrics::Histogram blocks_{*registry_,
                             "lean_gossip_block_size_bytes",
                             "Bytes of a block that came by gossip, as SSZ",
                             {10'000, 50'000, 100'000, 250'000, 500'000, 1'000'000, 2'000'000, 5'000'000}};
  metrics::Histogram votes_{*registry_,
                            "lean_gossip_attestation_size_bytes",
                            "Bytes of a vote that came by gossip, as SSZ",
                            {512, 1024, 2048, 4096, 8192, 16384}};
};

// All other metrics are read at a scrape, so that they cost nothing on the path of a block or vote.
class BeaconMetrics {
 public:
  BeaconMetrics(metrics::Registry& registry, MeteredBeacon beacon);
  BeaconMetrics(const BeaconMetrics&) = delete;
  BeaconMetrics& operator=(const BeaconMetrics&) = delete;

 private:
  void RefreshChain();
  void RefreshNetwork();
  void RefreshPeers();
  void RefreshConnections(const NetworkCounts& counts);
  void RefreshSync();
  void RefreshStorage();
  void RefreshProcess();

  const MeteredBeacon beacon_;
  std::set<std::string> clients_ = {"unknown"};  // that were told of so far
  metrics::Registry& r_;

  metrics::Gauge slot_{r_, "lean_beacon_slot", "The current slot by this beacon's clock"};
  metrics::Gauge head_slot_{r_, "lean_beacon_head_slot", "Slot of the head"};
  metrics::Gauge justified_slot_{r_, "lean_beacon_justified_slot", "Slot of the latest justified block"};
  metrics::Gauge finalized_slot_{r_, "lean_beacon_finalized_slot", "Slot of the latest finalized block"};
  metrics::Counter imported_{r_, "lean_beacon_imported_total", "Items taken into the chain (kind: block, vote)"};
  metrics::Counter refused_{r_, "lean_beacon_refused_total", "Items refused at the edge or by the chain (kind)"};
  metrics::Counter equivocations_{r_, "lean_beacon_equivocations_total",
                                  "Second items of a kind that a validator signed for a slot (kind)"};
  metrics::Counter dropped_{r_, "lean_beacon_dropped_total",
                            "Items that left the queue of those that wait unused: expired, or displaced by others"};
  metrics::Counter unpublished_{r_, "lean_beacon_unpublished_total",
                                "Accepted items that no peer was sent, since the network's channel was full (kind)"};
  metrics::Counter overloaded_{r_, "lean_beacon_overloaded_total",
                               "Submitted items that were not looked at, since too much was in flight"};
  metrics::Counter reorgs_{r_, "lean_beacon_reorgs_total", "Changes to a head that is no descendant of the last one"};
  metrics::Counter signatures_{r_, "lean_beacon_signatures_total",
                               "Signatures looked at (result: right, wrong, cached: known to be right)"};
  metrics::Gauge queued_{r_, "lean_beacon_queue_items",
                         "Items in a queue (queue: in_flight, waiting_blocks, waiting_votes, storage)"};
  metrics::Gauge queued_bytes_{r_, "lean_beacon_queue_bytes", "Bytes in a queue, about (queue: in_flight, storage)"};

  metrics::Gauge listener_answers_{r_, "lean_beacon_listener_answers",
                                   "1: who connects there is heard, at the last probe (listener: rpc, metrics)"};

  metrics::Counter dropped_log_lines_{r_, "lean_beacon_log_lines_dropped_total",
                                      "Lines of the log that nobody read in time"};

  metrics::Gauge peers_{r_, "lean_beacon_peers", "Peers that are connected (direction: in, out)"};
  metrics::Counter offences_{r_, "lean_beacon_peer_offences_total", "What was held against peers (offence)"};
  metrics::Counter bans_{r_, "lean_beacon_peer_bans_total", "Peers that were sent away for a while"};
  metrics::Counter gossip_items_{r_, "lean_beacon_gossip_items_total",
                                 "Items that peers brought, and that our validators made (direction, kind)"};
  metrics::Counter duplicates_{r_, "lean_beacon_gossip_duplicates_total",
                               "Items that peers brought and the chain knew"};
  metrics::Counter engine_left_out_{
      r_, "lean_beacon_network_engine_left_out_total",
      "Gossip that the network engine left out (why: expired, full, malformed, unpublished, unsent)"};
  metrics::Counter network_bytes_{r_, "lean_beacon_network_bytes_total",
                                  "Bytes of all streams of all peers, as they crossed the wire (direction)"};
  metrics::Counter requests_{r_, "lean_beacon_block_requests_total", "Requests for blocks (direction)"};

  // As leanMetrics names them.
  metrics::Gauge connected_peers_{r_, "lean_connected_peers", "Peers that are connected (client)"};
  metrics::Gauge mesh_peers_{r_, "lean_gossip_mesh_peers", "Of them, those in a mesh of gossipsub (client)"};
  metrics::Counter connections_{r_, "lean_peer_connection_events_total",
                                "Connections that came about, or did not (direction; result: success, timeout, error)"};
  metrics::Counter disconnections_{
      r_, "lean_peer_disconnection_events_total",
      "Connections that have ended (direction; reason: timeout, remote_close, local_close, error)"};

  metrics::Gauge engine_connected_{r_, "lean_beacon_network_engine_connected",
                                   "1: the network engine answers; 0: it does not, or there is none"};
  metrics::Counter engine_lost_{r_, "lean_beacon_network_engine_lost_total", "How often the network engine was lost"};

  metrics::Gauge clock_wrong_{r_, "lean_beacon_clock_wrong", "1: this machine's clock cannot be signed by"};
  metrics::Gauge clock_votes_{r_, "lean_beacon_clock_validators",
                              "Validators whose votes tell of this machine's clock (votes: heard, off)"};
  metrics::Gauge synced_{r_, "lean_beacon_synced",
                         "1: duties are served: as far as its peers, with a clock that is right"};
  metrics::Gauge lag_slots_{r_, "lean_beacon_sync_lag_slots", "How far the head is behind the best believed peer"};
  metrics::Gauge slots_left_{r_, "lean_beacon_sync_slots_left", "Slots of the range that are still to be fetched"};
  metrics::Gauge sync_speed_{r_, "lean_beacon_sync_blocks_per_second", "Of the range that is being fetched"};

  metrics::Gauge storage_failed_{r_, "lean_beacon_storage_failed", "1: the disk takes nothing at the moment"};
  metrics::Gauge storage_bytes_{r_, "lean_beacon_storage_bytes", "Bytes on disk, about (column)"};
  metrics::Gauge stored_slot_{r_, "lean_beacon_stored_slot", "Slot of the head as of the last write to the disk"};
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_COMMANDS_BEACON_METRICS_H_
