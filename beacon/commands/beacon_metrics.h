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
  metrics::Counter imported_{r_, "lean_beacon_imported_total", "Imported items (kind: block, vote)"};
  metrics::Counter refused_{r_, "lean_beacon_refused_total", "Items refused by the edge checks or the chain (kind)"};
  metrics::Counter equivocations_{r_, "lean_beacon_equivocations_total",
                                  "Further items of a kind that a validator signed for the same slot (kind)"};
  metrics::Counter dropped_{r_, "lean_beacon_dropped_total",
                            "Waiting items that were dropped because they expired or were displaced by others"};
  metrics::Counter unpublished_{
      r_, "lean_beacon_unpublished_total",
      "Accepted items that were not published because the channel to the network was full (kind)"};
  metrics::Counter overloaded_{r_, "lean_beacon_overloaded_total",
                               "Submitted items that were refused because too many were in flight"};
  metrics::Counter reorgs_{r_, "lean_beacon_reorgs_total",
                           "Changes to a head that does not descend from the previous head"};
  metrics::Counter signatures_{r_, "lean_beacon_signatures_total",
                               "Checked signatures (result: right, wrong, cached: known to be right)"};
  metrics::Gauge queued_{r_, "lean_beacon_queue_items",
                         "Items in a queue (queue: in_flight, waiting_blocks, waiting_votes, storage)"};
  metrics::Gauge queued_bytes_{r_, "lean_beacon_queue_bytes",
                               "Approximate bytes in a queue (queue: in_flight, storage)"};

  metrics::Gauge listener_answers_{r_, "lean_beacon_listener_answers",
                                   "1: it answered the last probe (listener: rpc, metrics)"};

  metrics::Counter dropped_log_lines_{r_, "lean_beacon_log_lines_dropped_total",
                                      "Log lines dropped because they were not read in time"};

  metrics::Gauge peers_{r_, "lean_beacon_peers", "Connected peers (direction: in, out)"};
  metrics::Counter offences_{r_, "lean_beacon_peer_offences_total", "Offences of peers (offence)"};
  metrics::Counter bans_{r_, "lean_beacon_peer_bans_total", "Temporary bans of peers"};
  metrics::Counter gossip_items_{r_, "lean_beacon_gossip_items_total",
                                 "Gossip items received from peers and published by this node (direction, kind)"};
  metrics::Counter duplicates_{r_, "lean_beacon_gossip_duplicates_total",
                               "Received gossip items that the chain already had"};
  metrics::Counter engine_left_out_{
      r_, "lean_beacon_network_engine_left_out_total",
      "Gossip items that the network engine dropped (why: expired, full, malformed, unpublished, unsent)"};
  metrics::Counter network_bytes_{r_, "lean_beacon_network_bytes_total",
                                  "Bytes of all streams of all peers on the wire (direction)"};
  metrics::Counter requests_{r_, "lean_beacon_block_requests_total", "Requests for blocks (direction)"};

  // As leanMetrics names them.
  metrics::Gauge connected_peers_{r_, "lean_connected_peers", "Connected peers (client)"};
  metrics::Gauge mesh_peers_{r_, "lean_gossip_mesh_peers", "Connected peers in a mesh of gossipsub (client)"};
  metrics::Counter connections_{r_, "lean_peer_connection_events_total",
                                "Attempts to connect (direction; result: success, timeout, error)"};
  metrics::Counter disconnections_{r_, "lean_peer_disconnection_events_total",
                                   "Ended connections (direction; reason: timeout, remote_close, local_close, error)"};

  metrics::Gauge engine_connected_{r_, "lean_beacon_network_engine_connected",
                                   "1: the network engine is connected; 0: it is not, or there is none"};
  metrics::Counter engine_lost_{r_, "lean_beacon_network_engine_lost_total", "How often the network engine was lost"};

  metrics::Gauge clock_wrong_{r_, "lean_beacon_clock_wrong",
                              "1: the clock of this machine is wrong, so no duties are served"};
  metrics::Gauge clock_votes_{r_, "lean_beacon_clock_validators",
                              "Validators whose votes are compared with the clock (votes: heard, off)"};
  metrics::Gauge synced_{r_, "lean_beacon_synced", "1: duties are served: the chain is in sync and the clock is right"};
  metrics::Gauge lag_slots_{r_, "lean_beacon_sync_lag_slots", "How far the head is behind the best believed peer"};
  metrics::Gauge slots_left_{r_, "lean_beacon_sync_slots_left", "Slots of the range that are not fetched yet"};
  metrics::Gauge sync_speed_{r_, "lean_beacon_sync_blocks_per_second", "Speed of the current range"};

  metrics::Gauge storage_failed_{r_, "lean_beacon_storage_failed", "1: writes to the disk fail"};
  metrics::Gauge storage_bytes_{r_, "lean_beacon_storage_bytes", "Approximate bytes on disk (column)"};
  metrics::Gauge stored_slot_{r_, "lean_beacon_stored_slot", "Slot of the head at the last write to the disk"};
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_COMMANDS_BEACON_METRICS_H_
