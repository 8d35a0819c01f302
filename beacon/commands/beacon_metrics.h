// All metrics of lean-beacon: a row for each, with its type, meaning, labels and buckets. docs/metrics.md is generated
// from this table.
#ifndef LEAN_BEACON_COMMANDS_BEACON_METRICS_H_
#define LEAN_BEACON_COMMANDS_BEACON_METRICS_H_

#include "beacon/http/route_paths.h"
#include "beacon/services/chain_metrics.h"
#include "common/metrics/metrics.h"
#include "common/metrics/process_metrics.h"

namespace lean::beacon {

// Outlives the scrapes of its registry. Thread-safe.
struct BeaconMetrics {
  explicit BeaconMetrics(metrics::Registry& registry) : r(registry) {}
  BeaconMetrics(const BeaconMetrics&) = delete;
  BeaconMetrics& operator=(const BeaconMetrics&) = delete;

  metrics::Registry& r;
  const metrics::Label kind{"kind", {"block", "vote"}};
  const metrics::Label direction{"direction", {"in", "out"}};
  const metrics::Label bound{"direction", {"inbound", "outbound"}};

  // The chain.
  metrics::Gauge slot{r, "lean_beacon_slot", "The current slot by this beacon's clock"};
  metrics::Gauge head_slot{r, "lean_beacon_head_slot", "Slot of the head"};
  metrics::Gauge justified_slot{r, "lean_beacon_justified_slot", "Slot of the latest justified block"};
  metrics::Gauge finalized_slot{r, "lean_beacon_finalized_slot", "Slot of the latest finalized block"};
  metrics::Counter imported{
      r, "lean_beacon_imported_total", "Blocks and votes that the chain accepted, including history", {kind}};
  metrics::Counter refused{
      r, "lean_beacon_refused_total", "Blocks and votes refused by the edge checks or by the chain", {kind}};
  metrics::Counter equivocations{r,
                                 "lean_beacon_equivocations_total",
                                 "A validator signed a second, different message for a slot; each is also logged",
                                 {kind}};
  metrics::Counter dropped{
      r, "lean_beacon_dropped_total",
      "Items that left the dependency queue unused, because they expired or were displaced by others"};
  metrics::Counter unpublished{r,
                               "lean_beacon_unpublished_total",
                               "Accepted items that were sent to no peer because the network's channel was full; each "
                               "is also logged (`not_published`)",
                               {kind}};
  metrics::Counter overloaded{
      r, "lean_beacon_overloaded_total",
      "Submitted items from clients and peers that were not processed because too much was in flight"};
  metrics::Counter reorgs{r, "lean_beacon_reorgs_total",
                          "Changes to a head that does not descend from the previous head"};
  metrics::Counter signatures{r,
                              "lean_beacon_signatures_total",
                              "Checked signatures: computed to be `right` or `wrong`; `cached`: known to be right",
                              {{"result", {"right", "wrong", "cached"}}}};

  // Memory.
  metrics::Footprints queues{
      r,
      "lean_beacon_queue",
      "a queue. `in_flight`: submitted and not yet answered; `waiting_*`: for their dependencies; `outbound`: to the "
      "network; `signature_checks`: work, its items are in flight; `states_to_restore`: work; `gossip`: from peers, "
      "not yet submitted; `undecided`: without a verdict; `block_requests`: open ones to peers, with what has come; "
      "`peer_requests`: from peers; `to_engine`: messages; `screened_votes`: of callers not known to be good; "
      "`queries`, `duties`, `http_requests`: calls that wait for a thread; `unread_answers`, `http_answers`: that "
      "callers have not read; `sync_blocks`: fetched and not imported; `sync_roots`: missing blocks; `storage`: to be "
      "written (with `--data`)",
      {"queue", {"in_flight",         "waiting_blocks", "waiting_votes", "outbound",       "signature_checks",
                 "states_to_restore", "gossip",         "undecided",     "block_requests", "peer_requests",
                 "to_engine",         "screened_votes", "queries",       "duties",         "unread_answers",
                 "http_requests",     "http_answers",   "sync_blocks",   "sync_roots",     "storage"}}};
  metrics::Footprints caches{
      r,
      "lean_beacon_cache",
      "what is kept in memory. `states`, `blocks`, `tree`, `known_votes`, `pending_votes`: of the chain; `history`, "
      "`known_blocks`: a root for each slot, and a root and slot for each block ever imported; `right_signatures`, "
      "`signed_slots`, `seen_votes`, `recent_votes`: of the newest slots; `restored_states`, `database_rows`, "
      "`database_tables`: of the disk (with `--data`; RocksDB does not count the items of its tables); `events`: for "
      "those who watch; `own_items`: published, for the first peer of an engine; `kept_blocks`: built for validator "
      "clients and not signed yet",
      {"cache", {"states",        "history",          "blocks",       "known_blocks", "tree",         "known_votes",
                 "pending_votes", "right_signatures", "signed_slots", "seen_votes",   "recent_votes", "restored_states",
                 "peers",         "peer_scores",      "own_items",    "callers",      "kept_blocks",  "events",
                 "database_rows", "database_tables"}}};

  // Servers and log.
  metrics::Gauge listener_answers{r,
                                  "lean_beacon_listener_answers",
                                  "1: the server accepts connections, by a probe every 10 s",
                                  {{"listener", {"rpc", "http", "metrics"}}}};
  metrics::Counter http_requests{r,
                                 "lean_beacon_http_requests_total",
                                 "Answered requests of the HTTP server (docs/http.md), by route; `none` fits no route",
                                 {{"route", HttpRoutePaths()}}};
  metrics::Counter http_answers{r,
                                "lean_beacon_http_answers_total",
                                "The same by status",
                                {{"status", {"200", "400", "404", "405", "413", "431", "500", "503"}}}};
  metrics::Gauge http_open{r,
                           "lean_beacon_http_connections",
                           "Open connections of the HTTP server: all, and event streams",
                           {{"kind", {"all", "stream"}}}};
  metrics::Counter http_connections{
      r,
      "lean_beacon_http_connections_total",
      "Connections of the HTTP server: `refused` for lack of room; `displaced`, closed to "
      "make room because they had sent no request or read their answer slowly",
      {{"result", {"accepted", "refused", "displaced"}}}};
  metrics::Gauge certificate_end{r,
                                 "lean_beacon_certificate_end_seconds",
                                 "Unix time at which the first certificate of these TLS files ends",
                                 {{"tls", {"http", "rpc"}}}};
  metrics::Counter dropped_log_lines{r, "lean_beacon_log_lines_dropped_total",
                                     "Log lines that were dropped because nobody read them in time"};

  // Peers.
  metrics::Gauge peers{
      r, "lean_beacon_peers", "Connected peers, by who dialed: `out` are dialed by the network engine", {direction}};
  metrics::Counter offences{r,
                            "lean_beacon_peer_offences_total",
                            "Events that lowered a peer's score, as in the log line `peer_offence`",
                            {{"offence", {"MALFORMED", "INVALID_ITEM", "BAD_ANSWER", "UNRESPONSIVE", "LIED"}}}};
  metrics::Counter bans{r, "lean_beacon_peer_bans_total", "Peers that were banned for a time"};
  metrics::Counter gossip_items{r,
                                "lean_beacon_gossip_items_total",
                                "Blocks and votes: `in` from peers, `out` from our own validators",
                                {direction, kind}};
  metrics::Counter duplicates{r, "lean_beacon_gossip_duplicates_total", "Items from peers that the chain already knew"};
  metrics::Counter engine_left_out{
      r,
      "lean_beacon_network_engine_left_out_total",
      "Gossip that the engine dropped and logged. `expired`: no verdict within 4 s; `full`: too many items waited for "
      "verdicts; `unpublished`: no peer was connected; `unsent`: messages that a peer read too slowly, counted for "
      "each peer",
      {{"why", {"expired", "full", "malformed", "unpublished", "unsent"}}}};
  metrics::Counter network_bytes{r,
                                 "lean_beacon_network_bytes_total",
                                 "Bytes of all streams of all peers on the wire, counted by the engine",
                                 {direction}};
  metrics::Counter requests{
      r, "lean_beacon_block_requests_total", "Requests for blocks: `in` from peers, `out` to peers", {direction}};
  metrics::Gauge engine_connected{r, "lean_beacon_network_engine_connected",
                                  "1: the network engine answers; 0: it does not, or there is none"};
  metrics::Counter engine_lost{r, "lean_beacon_network_engine_lost_total", "How often the engine was lost"};

  // Sync and clock.
  metrics::Gauge clock_wrong{r, "lean_beacon_clock_wrong", "1: this machine's clock is wrong and no duties are served"};
  metrics::Gauge clock_votes{r,
                             "lean_beacon_clock_validators",
                             "Validators whose votes give evidence about the clock; `off`: those of them that sign for "
                             "other slots",
                             {{"votes", {"heard", "off"}}}};
  metrics::Gauge synced{r, "lean_beacon_synced", "1: duties are served, as far as peers and clock are concerned"};
  metrics::Gauge lag_slots{r, "lean_beacon_sync_lag_slots", "Slots between the head and the best believed peer"};
  metrics::Gauge slots_left{r, "lean_beacon_sync_slots_left", "Slots left of the range that is being fetched; 0: none"};
  metrics::Gauge sync_speed{r, "lean_beacon_sync_blocks_per_second", "Speed of that fetch"};

  // The disk. Without `--data` these do not exist.
  metrics::Gauge storage_failed{r, "lean_beacon_storage_failed",
                                "1: the disk accepts no writes, and the beacon accepts no items (with `--data`)"};
  metrics::Gauge storage_bytes{r,
                               "lean_beacon_storage_bytes",
                               "Approximate size on disk (with `--data`)",
                               {{"column", {"meta", "slots", "blocks", "canonical", "states", "votes"}}}};
  metrics::Gauge stored_slot{r, "lean_beacon_stored_slot",
                             "Slot of the head at the last write to the disk (with `--data`)"};

  // As leanMetrics names them.
  metrics::Gauge current_slot{r, "lean_current_slot", "The current slot by this beacon's clock"};
  metrics::Gauge lean_head_slot{r, "lean_head_slot", "Slot of the head"};
  metrics::Gauge safe_target_slot{r, "lean_safe_target_slot", "Slot of the safe target"};
  metrics::Gauge latest_justified_slot{r, "lean_latest_justified_slot", "Slot of the latest justified block"};
  metrics::Gauge latest_finalized_slot{r, "lean_latest_finalized_slot", "Slot of the latest finalized block"};
  metrics::Gauge head_justified_slot{r, "lean_justified_slot", "Slot of the justified block of the head's state"};
  metrics::Gauge head_finalized_slot{r, "lean_finalized_slot", "Slot of the finalized block of the head's state"};
  metrics::Gauge sync_status{r,
                             "lean_node_sync_status",
                             "1 for the status of the sync: `idle` while no peer is known to be ahead, but duties are "
                             "not served",
                             {{"status", {"idle", "syncing", "synced"}}}};
  metrics::Counter right_signatures{r, "lean_pq_sig_attestation_signatures_valid_total",
                                    "Signatures of votes, alone and in blocks, that were computed to be right"};
  metrics::Counter wrong_signatures{r, "lean_pq_sig_attestation_signatures_invalid_total",
                                    "Signatures of votes, alone and in blocks, that were computed to be wrong"};
  metrics::Counter valid_votes{r, "lean_attestations_valid_total", "Votes that the chain accepted"};
  metrics::Counter invalid_votes{r, "lean_attestations_invalid_total",
                                 "Votes that the edge checks or the chain refused"};
  metrics::Counter lean_reorgs{r, "lean_fork_choice_reorgs_total",
                               "Changes to a head that does not descend from the previous head"};
  ChainMetrics chain{r};
  metrics::Gauge connected_peers{r, "lean_connected_peers", "Connected peers, by their program", {{"client", {}}}};
  metrics::Gauge mesh_peers{
      r, "lean_gossip_mesh_peers", "Those of them in the mesh of a topic of gossipsub", {{"client", {}}}};
  metrics::Counter connections{r,
                               "lean_peer_connection_events_total",
                               "Connections, and attempts to connect that failed",
                               {bound, {"result", {"success", "timeout", "error"}}}};
  metrics::Counter disconnections{r,
                                  "lean_peer_disconnection_events_total",
                                  "Ended connections; those of a lost engine count as `error`",
                                  {bound, {"reason", {"timeout", "remote_close", "local_close", "error"}}}};
  metrics::Histogram gossip_block_bytes{r,
                                        "lean_gossip_block_size_bytes",
                                        "Size of a block from a peer, as SSZ",
                                        {},
                                        {10'000, 50'000, 100'000, 250'000, 500'000, 1'000'000, 2'000'000, 5'000'000}};
  metrics::Histogram gossip_vote_bytes{r,
                                       "lean_gossip_attestation_size_bytes",
                                       "Size of a vote from a peer, as SSZ",
                                       {},
                                       {512, 1024, 2048, 4096, 8192, 16384}};

  metrics::ProcessMetrics process{r, "lean-beacon"};
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_COMMANDS_BEACON_METRICS_H_
