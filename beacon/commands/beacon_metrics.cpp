#include "beacon/commands/beacon_metrics.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "beacon/network/peer_score.h"
#include "beacon/storage/schema.h"
#include "common/process/log.h"

namespace lean::beacon {

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
  double in = 0;
  double out = 0;
  for (const PeerInfo& peer : beacon_.network.Peers()) ++(peer.outbound ? out : in);
  peers_.Set(in, {{"direction", "in"}});
  peers_.Set(out, {{"direction", "out"}});
  for (const Offence offence : kOffences) {
    offences_.RaiseTo(counts.Of(offence), {{"offence", std::string(OffenceName(offence))}});
  }
  bans_.RaiseTo(counts.bans);

  const Traffic& traffic = counts.traffic;
  gossip_items_.RaiseTo(traffic.blocks_in, {{"direction", "in"}, {"kind", "block"}});
  gossip_items_.RaiseTo(traffic.blocks_out, {{"direction", "out"}, {"kind", "block"}});
  gossip_items_.RaiseTo(traffic.votes_in, {{"direction", "in"}, {"kind", "vote"}});
  gossip_items_.RaiseTo(traffic.votes_out, {{"direction", "out"}, {"kind", "vote"}});
  gossip_bytes_.RaiseTo(traffic.bytes_in, {{"direction", "in"}});
  gossip_bytes_.RaiseTo(traffic.bytes_out, {{"direction", "out"}});
  duplicates_.RaiseTo(counts.duplicates);
  unsent_.RaiseTo(traffic.dropped_out);
  requests_.RaiseTo(traffic.requests_in, {{"direction", "in"}});
  requests_.RaiseTo(traffic.requests_out, {{"direction", "out"}});
  engine_connected_.Set(counts.engine_connected ? 1 : 0);
  engine_restarts_.RaiseTo(counts.engine_restarts);
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
