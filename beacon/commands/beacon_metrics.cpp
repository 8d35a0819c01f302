#include "beacon/commands/beacon_metrics.h"

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

void GossipSizes::Observe(const v1::GossipItems& items) {
  for (const v1::GossipItem& item : items.items()) {
    if (item.has_block()) blocks_.Observe(static_cast<double>(item.block().size()));
    if (item.has_vote()) votes_.Observe(static_cast<double>(item.vote().size()));
  }
}

BeaconMetrics::BeaconMetrics(metrics::Registry& registry, MeteredBeacon beacon)
    : beacon_(std::move(beacon)), r_(registry) {
  registry.AddRefresher([this] {
    RefreshChain();
    RefreshNetwork();
    RefreshSync();
    RefreshProcess();
    if (beacon_.database != nullptr) RefreshStorage();
  });
}

void BeaconMetrics::RefreshChain() {
  const ChainService& chain = beacon_.chain;
  const auto slots = chain.Read([](const LeanChain& now) {
    return std::array<uint64_t, 3>{now.head().slot, now.justified().slot, now.finalized().slot};
  });
  slot_.Set(static_cast<double>(chain.CurrentSlot()));
  head_slot_.Set(static_cast<double>(slots[0]));
  justified_slot_.Set(static_cast<double>(slots[1]));
  finalized_slot_.Set(static_cast<double>(slots[2]));

  const EventCounts& events = chain.event_counts();
  imported_.RaiseTo(events.blocks_accepted, {{"kind", "block"}});
  imported_.RaiseTo(events.votes_accepted, {{"kind", "vote"}});
  refused_.RaiseTo(events.blocks_refused, {{"kind", "block"}});
  refused_.RaiseTo(events.votes_refused, {{"kind", "vote"}});
  equivocations_.RaiseTo(events.block_equivocations, {{"kind", "block"}});
  equivocations_.RaiseTo(events.vote_equivocations, {{"kind", "vote"}});
  dropped_.RaiseTo(events.items_dropped);
  unpublished_.RaiseTo(events.blocks_unpublished, {{"kind", "block"}});
  unpublished_.RaiseTo(events.votes_unpublished, {{"kind", "vote"}});
  overloaded_.RaiseTo(events.items_overloaded);
  reorgs_.RaiseTo(events.reorgs);
  const SignatureVerifier::Counts signatures = chain.signature_counts();
  signatures_.RaiseTo(signatures.verified, {{"result", "right"}});
  signatures_.RaiseTo(signatures.wrong, {{"result", "wrong"}});
  signatures_.RaiseTo(signatures.cached, {{"result", "cached"}});

  const ChainService::QueueSizes queues = chain.queue_sizes();
  queued_.Set(static_cast<double>(queues.in_flight_items), {{"queue", "in_flight"}});
  queued_.Set(static_cast<double>(queues.waiting_blocks), {{"queue", "waiting_blocks"}});
  queued_.Set(static_cast<double>(queues.waiting_votes), {{"queue", "waiting_votes"}});
  queued_bytes_.Set(static_cast<double>(queues.in_flight_bytes), {{"queue", "in_flight"}});
}

void BeaconMetrics::RefreshNetwork() {
  const NetworkCounts counts = beacon_.network.counts();
  RefreshPeers();
  RefreshConnections(counts);
  for (const Offence offence : kOffences) {
    offences_.RaiseTo(counts.peers.Of(offence), {{"offence", std::string(OffenceName(offence))}});
  }
  bans_.RaiseTo(counts.peers.bans);

  gossip_items_.RaiseTo(counts.in.blocks, {{"direction", "in"}, {"kind", "block"}});
  gossip_items_.RaiseTo(counts.blocks_out, {{"direction", "out"}, {"kind", "block"}});
  gossip_items_.RaiseTo(counts.in.votes, {{"direction", "in"}, {"kind", "vote"}});
  gossip_items_.RaiseTo(counts.votes_out, {{"direction", "out"}, {"kind", "vote"}});
  duplicates_.RaiseTo(counts.in.duplicates);
  engine_left_out_.RaiseTo(counts.engines.items_expired(), {{"why", "expired"}});
  engine_left_out_.RaiseTo(counts.engines.items_dropped(), {{"why", "full"}});
  engine_left_out_.RaiseTo(counts.engines.items_malformed(), {{"why", "malformed"}});
  engine_left_out_.RaiseTo(counts.engines.unpublished(), {{"why", "unpublished"}});
  engine_left_out_.RaiseTo(counts.engines.unsent(), {{"why", "unsent"}});
  network_bytes_.RaiseTo(counts.engines.bytes_in(), {{"direction", "in"}});
  network_bytes_.RaiseTo(counts.engines.bytes_out(), {{"direction", "out"}});
  requests_.RaiseTo(counts.requests_in, {{"direction", "in"}});
  requests_.RaiseTo(counts.requests_out, {{"direction", "out"}});
  engine_connected_.Set(counts.engine_connected ? 1 : 0);
  engine_lost_.RaiseTo(counts.engine_lost);
}

void BeaconMetrics::RefreshPeers() {
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
  peers_.Set(in, {{"direction", "in"}});
  peers_.Set(out, {{"direction", "out"}});
  for (const std::string& client : clients_) {
    connected_peers_.Set(connected[client], {{"client", client}});
    mesh_peers_.Set(in_mesh[client], {{"client", client}});
  }
}

void BeaconMetrics::RefreshConnections(const NetworkCounts& counts) {
  const auto direction = [](bool outbound) { return std::string(outbound ? "outbound" : "inbound"); };
  for (const auto& [outbound, count] : counts.peers.connected) {
    connections_.RaiseTo(count, {{"direction", direction(outbound)}, {"result", "success"}});
    const v1::EngineCounts& failed = counts.engines;
    connections_.RaiseTo(outbound ? failed.dials_timed_out() : failed.arrivals_timed_out(),
                         {{"direction", direction(outbound)}, {"result", "timeout"}});
    connections_.RaiseTo(outbound ? failed.dials_failed() : failed.arrivals_failed(),
                         {{"direction", direction(outbound)}, {"result", "error"}});
  }
  for (const auto& [kind, count] : counts.peers.disconnected) {
    disconnections_.RaiseTo(count, {{"direction", direction(kind.first)}, {"reason", ReasonOf(kind.second)}});
  }
}

void BeaconMetrics::RefreshSync() {
  const ClockStatus clock = beacon_.chain.clock_status();
  clock_wrong_.Set(clock.usable ? 0 : 1);
  clock_votes_.Set(static_cast<double>(clock.verdict.heard), {{"votes", "heard"}});
  clock_votes_.Set(static_cast<double>(clock.verdict.off), {{"votes", "off"}});
  const SyncStatus sync = beacon_.sync();
  synced_.Set(sync.synced ? 1 : 0);
  lag_slots_.Set(static_cast<double>(sync.lag_slots));
  slots_left_.Set(static_cast<double>(sync.slots_left));
  sync_speed_.Set(sync.blocks_per_second);
}

void BeaconMetrics::RefreshProcess() {
  dropped_log_lines_.RaiseTo(DroppedLogLines(beacon_.log));
  for (const rpc::ListenerWatch::State& listener : beacon_.listeners.states()) {
    listener_answers_.Set(listener.answers ? 1 : 0, {{"listener", listener.name}});
  }
}

void BeaconMetrics::RefreshStorage() {
  queued_.Set(static_cast<double>(beacon_.storage->queued_items()), {{"queue", "storage"}});
  queued_bytes_.Set(static_cast<double>(beacon_.storage->queued_bytes()), {{"queue", "storage"}});
  storage_failed_.Set(beacon_.storage->Health().ok() ? 0 : 1);
  for (size_t i = 0; i < kColumns; ++i) {
    const auto column = static_cast<Column>(i);
    storage_bytes_.Set(static_cast<double>(beacon_.database->files().DiskBytes(column)),
                       {{"column", std::string(ColumnName(column))}});
  }
  const absl::StatusOr<std::optional<Checkpoint>> head = beacon_.database->ReadCheckpoint(meta_key::kHead);
  if (head.ok() && head->has_value()) stored_slot_.Set(static_cast<double>((*head)->slot));
}

}  // namespace lean::beacon
