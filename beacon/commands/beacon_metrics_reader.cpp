#include "beacon/commands/beacon_metrics_reader.h"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "beacon/network/peers/peer_score.h"
#include "beacon/storage/database/schema.h"
#include "common/process/log.h"

namespace lean::beacon {
namespace {

// Clients choose their names freely, so only these names have separate series.
constexpr std::array<absl::string_view, 9> kClients = {"lean-p2p", "ream",    "zeam",      "qlean", "grandine",
                                                       "gean",     "lantern", "ethlambda", "nlean"};

// Of a missing block and the peers that may have it.
constexpr size_t kWantedRootBytes = 256;

// The client's name as in leanMetrics, or "unknown".
std::string ClientOf(absl::string_view agent) {
  for (const absl::string_view client : kClients) {
    if (absl::StartsWithIgnoreCase(agent, client)) return std::string(client);
  }
  return "unknown";
}

std::string ReasonOf(v1::PeerDisconnected::Cause cause) {
  switch (cause) {
    case v1::PeerDisconnected::TIMEOUT:
      return "timeout";
    case v1::PeerDisconnected::REMOTE_CLOSE:
      return "remote_close";
    case v1::PeerDisconnected::LOCAL_CLOSE:
      return "local_close";
    default:
      return "error";
  }
}

}  // namespace

BeaconMetricsReader::BeaconMetricsReader(BeaconMetrics& metrics, MeteredBeacon beacon)
    : beacon_(std::move(beacon)), m_(metrics) {
  metrics.r.AddRefresher([this] {
    RefreshChain();
    RefreshNetwork();
    RefreshSync();
    RefreshHttp();
    RefreshProcess();
    if (beacon_.database != nullptr) RefreshStorage();
  });
  metrics.queues.Add([this] { return beacon_.chain.queues(); });
  metrics.queues.Add([this] { return beacon_.network.queues(); });
  metrics.queues.Add([this] {
    const RpcService* rpc = beacon_.rpc();
    return rpc == nullptr ? metrics::FootprintList() : rpc->queues();
  });
  metrics.queues.Add([this] { return SyncQueues(); });
  if (beacon_.http != nullptr) metrics.queues.Add([this] { return beacon_.http->queues(); });
  metrics.caches.Add([this] { return beacon_.chain.caches(); });
  metrics.caches.Add([this] { return beacon_.network.caches(); });
  metrics.caches.Add([this] {
    const RpcService* rpc = beacon_.rpc();
    return rpc == nullptr ? metrics::FootprintList() : rpc->caches();
  });
  metrics.caches.Add([this] { return metrics::FootprintList{beacon_.events.footprint()}; });
  if (beacon_.database == nullptr) return;
  metrics.queues.Add([this] { return metrics::FootprintList{beacon_.storage->queue()}; });
  metrics.caches.Add([this] { return beacon_.database->files().caches(); });
}

metrics::FootprintList BeaconMetricsReader::SyncQueues() const {
  const SyncStatus sync = beacon_.sync();
  return {{.name = "sync_blocks", .items = sync.blocks_held, .bytes = sync.bytes_held},
          {.name = "sync_roots", .items = sync.roots_wanted, .bytes = sync.roots_wanted * kWantedRootBytes}};
}

void BeaconMetricsReader::RefreshChain() {
  const ChainService& chain = beacon_.chain;
  const auto slots = chain.Read([](const LeanChain& now) {
    struct Slots {
      uint64_t head, safe_target, justified, finalized;
      StatePtr head_state;
    };
    return Slots{now.head().slot, now.safe_target().slot, now.justified().slot, now.finalized().slot, now.head_state()};
  });
  m_.slot.Set(static_cast<double>(chain.CurrentSlot()));
  m_.current_slot.Set(static_cast<double>(chain.CurrentSlot()));
  m_.head_slot.Set(static_cast<double>(slots.head));
  m_.lean_head_slot.Set(static_cast<double>(slots.head));
  m_.safe_target_slot.Set(static_cast<double>(slots.safe_target));
  m_.justified_slot.Set(static_cast<double>(slots.justified));
  m_.latest_justified_slot.Set(static_cast<double>(slots.justified));
  m_.finalized_slot.Set(static_cast<double>(slots.finalized));
  m_.latest_finalized_slot.Set(static_cast<double>(slots.finalized));
  if (slots.head_state != nullptr) {
    m_.head_justified_slot.Set(static_cast<double>(slots.head_state->latest_justified.slot));
    m_.head_finalized_slot.Set(static_cast<double>(slots.head_state->latest_finalized.slot));
  }

  const EventCounts& events = chain.event_counts();
  m_.imported.RaiseTo(events.blocks_accepted, {{"kind", "block"}});
  m_.imported.RaiseTo(events.votes_accepted, {{"kind", "vote"}});
  m_.refused.RaiseTo(events.blocks_refused, {{"kind", "block"}});
  m_.refused.RaiseTo(events.votes_refused, {{"kind", "vote"}});
  m_.equivocations.RaiseTo(events.block_equivocations, {{"kind", "block"}});
  m_.equivocations.RaiseTo(events.vote_equivocations, {{"kind", "vote"}});
  m_.dropped.RaiseTo(events.items_dropped);
  m_.unpublished.RaiseTo(events.blocks_unpublished, {{"kind", "block"}});
  m_.unpublished.RaiseTo(events.votes_unpublished, {{"kind", "vote"}});
  m_.overloaded.RaiseTo(events.items_overloaded);
  m_.reorgs.RaiseTo(events.reorgs);
  m_.lean_reorgs.RaiseTo(events.reorgs);
  m_.valid_votes.RaiseTo(events.votes_accepted);
  m_.invalid_votes.RaiseTo(events.votes_refused);
  const SignatureVerifier::Counts signatures = chain.signature_counts();
  m_.signatures.RaiseTo(signatures.verified, {{"result", "right"}});
  m_.signatures.RaiseTo(signatures.wrong, {{"result", "wrong"}});
  m_.signatures.RaiseTo(signatures.cached, {{"result", "cached"}});
  m_.right_signatures.RaiseTo(signatures.verified);
  m_.wrong_signatures.RaiseTo(signatures.wrong);
}

void BeaconMetricsReader::RefreshNetwork() {
  const NetworkCounts counts = beacon_.network.counts();
  RefreshPeers();
  RefreshConnections(counts);
  for (const Offence offence : kOffences) {
    m_.offences.RaiseTo(counts.peers.Of(offence), {{"offence", std::string(OffenceName(offence))}});
  }
  m_.bans.RaiseTo(counts.peers.bans);

  m_.gossip_items.RaiseTo(counts.in.blocks, {{"direction", "in"}, {"kind", "block"}});
  m_.gossip_items.RaiseTo(counts.blocks_out, {{"direction", "out"}, {"kind", "block"}});
  m_.gossip_items.RaiseTo(counts.in.votes, {{"direction", "in"}, {"kind", "vote"}});
  m_.gossip_items.RaiseTo(counts.votes_out, {{"direction", "out"}, {"kind", "vote"}});
  m_.duplicates.RaiseTo(counts.in.duplicates);
  m_.engine_left_out.RaiseTo(counts.engines.items_expired(), {{"why", "expired"}});
  m_.engine_left_out.RaiseTo(counts.engines.items_dropped(), {{"why", "full"}});
  m_.engine_left_out.RaiseTo(counts.engines.items_malformed(), {{"why", "malformed"}});
  m_.engine_left_out.RaiseTo(counts.engines.unpublished(), {{"why", "unpublished"}});
  m_.engine_left_out.RaiseTo(counts.engines.unsent(), {{"why", "unsent"}});
  m_.network_bytes.RaiseTo(counts.engines.bytes_in(), {{"direction", "in"}});
  m_.network_bytes.RaiseTo(counts.engines.bytes_out(), {{"direction", "out"}});
  m_.requests.RaiseTo(counts.requests_in, {{"direction", "in"}});
  m_.requests.RaiseTo(counts.requests_out, {{"direction", "out"}});
  m_.engine_connected.Set(counts.engine_connected ? 1 : 0);
  m_.engine_lost.RaiseTo(counts.engine_lost);
}

void BeaconMetricsReader::RefreshPeers() {
  double in = 0;
  double out = 0;
  std::map<std::string, int> connected;
  std::map<std::string, int> in_mesh;
  const v1::GetPeersResponse views = beacon_.network.PeerViews();
  for (const v1::PeerView& peer : views.peers()) {
    if (peer.state() != v1::PeerView::CONNECTED) continue;
    ++(peer.outbound() ? out : in);
    const std::string client = ClientOf(peer.agent());
    clients_.insert(client);
    ++connected[client];
    in_mesh[client] += peer.in_block_mesh() || peer.in_vote_mesh() ? 1 : 0;
  }
  m_.peers.Set(in, {{"direction", "in"}});
  m_.peers.Set(out, {{"direction", "out"}});
  for (const std::string& client : clients_) {
    m_.connected_peers.Set(connected[client], {{"client", client}});
    m_.mesh_peers.Set(in_mesh[client], {{"client", client}});
  }
}

void BeaconMetricsReader::RefreshConnections(const NetworkCounts& counts) {
  const auto direction = [](bool outbound) { return std::string(outbound ? "outbound" : "inbound"); };
  for (const auto& [outbound, count] : counts.peers.connected) {
    m_.connections.RaiseTo(count, {{"direction", direction(outbound)}, {"result", "success"}});
    const v1::EngineCounts& failed = counts.engines;
    m_.connections.RaiseTo(outbound ? failed.dials_timed_out() : failed.arrivals_timed_out(),
                           {{"direction", direction(outbound)}, {"result", "timeout"}});
    m_.connections.RaiseTo(outbound ? failed.dials_failed() : failed.arrivals_failed(),
                           {{"direction", direction(outbound)}, {"result", "error"}});
  }
  for (const auto& [kind, count] : counts.peers.disconnected) {
    m_.disconnections.RaiseTo(count, {{"direction", direction(kind.first)}, {"reason", ReasonOf(kind.second)}});
  }
}

void BeaconMetricsReader::RefreshSync() {
  const ClockStatus clock = beacon_.chain.clock_status();
  m_.clock_wrong.Set(clock.usable ? 0 : 1);
  m_.clock_votes.Set(static_cast<double>(clock.verdict.heard), {{"votes", "heard"}});
  m_.clock_votes.Set(static_cast<double>(clock.verdict.off), {{"votes", "off"}});
  const SyncStatus sync = beacon_.sync();
  m_.synced.Set(sync.synced ? 1 : 0);
  const absl::string_view status = sync.synced ? "synced" : sync.target_slot > 0 ? "syncing" : "idle";
  for (const char* each : {"idle", "syncing", "synced"}) m_.sync_status.Set(status == each ? 1 : 0, {{"status", each}});
  m_.lag_slots.Set(static_cast<double>(sync.lag_slots));
  m_.slots_left.Set(static_cast<double>(sync.slots_left));
  m_.sync_speed.Set(sync.blocks_per_second);
}

void BeaconMetricsReader::RefreshHttp() {
  const HttpCounts counts = beacon_.http == nullptr ? HttpCounts() : beacon_.http->counts();
  std::map<std::string, double> by_route;
  std::map<unsigned, double> by_status;
  for (const auto& [answer, count] : counts.answers) {
    by_route[answer.first] += count;
    by_status[answer.second] += count;
  }
  for (const auto& [route, count] : by_route) m_.http_requests.RaiseTo(count, {{"route", route}});
  for (const auto& [status, count] : by_status) m_.http_answers.RaiseTo(count, {{"status", std::to_string(status)}});
  m_.http_open.Set(static_cast<double>(counts.connections), {{"kind", "all"}});
  m_.http_open.Set(static_cast<double>(counts.streams), {{"kind", "stream"}});
  m_.http_connections.RaiseTo(counts.accepted, {{"result", "accepted"}});
  m_.http_connections.RaiseTo(counts.refused, {{"result", "refused"}});
  m_.http_connections.RaiseTo(counts.displaced, {{"result", "displaced"}});
}

void BeaconMetricsReader::RefreshProcess() {
  m_.dropped_log_lines.RaiseTo(DroppedLogLines(beacon_.log));
  for (const rpc::ListenerWatch::State& listener : beacon_.listeners.states()) {
    m_.listener_answers.Set(listener.answers ? 1 : 0, {{"listener", listener.name}});
  }
  for (const rpc::SecurityWatch::Certificate& certificate : beacon_.security.certificates()) {
    m_.certificate_end.Set(static_cast<double>(absl::ToUnixSeconds(certificate.end)), {{"tls", certificate.name}});
  }
}

void BeaconMetricsReader::RefreshStorage() {
  m_.storage_failed.Set(beacon_.storage->Health().ok() ? 0 : 1);
  for (size_t i = 0; i < kColumns; ++i) {
    const auto column = static_cast<Column>(i);
    m_.storage_bytes.Set(static_cast<double>(beacon_.database->files().DiskBytes(column)),
                         {{"column", std::string(ColumnName(column))}});
  }
  const absl::StatusOr<std::optional<Checkpoint>> head = beacon_.database->ReadCheckpoint(meta_key::kHead);
  if (head.ok() && head->has_value()) m_.stored_slot.Set(static_cast<double>((*head)->slot));
}

}  // namespace lean::beacon
