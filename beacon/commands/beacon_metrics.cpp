#include "beacon/commands/beacon_metrics.h"

#include <array>
#include <cstdint>

namespace lean::beacon {

BeaconMetrics::BeaconMetrics(metrics::Registry& registry, const ChainService& service)
    : service_(service), r_(registry) {
  registry.AddRefresher([this] { Refresh(); });
}

void BeaconMetrics::Refresh() {
  const auto slots = service_.Read([](const LeanChain& chain) {
    return std::array<uint64_t, 3>{chain.head().slot, chain.justified().slot, chain.finalized().slot};
  });
  slot_.Set(static_cast<double>(service_.CurrentSlot()));
  head_slot_.Set(static_cast<double>(slots[0]));
  justified_slot_.Set(static_cast<double>(slots[1]));
  finalized_slot_.Set(static_cast<double>(slots[2]));

  const EventCounts& events = service_.event_counts();
  imported_.RaiseTo(events.blocks_accepted, {{"kind", "block"}});
  imported_.RaiseTo(events.votes_accepted, {{"kind", "vote"}});
  refused_.RaiseTo(events.blocks_refused, {{"kind", "block"}});
  refused_.RaiseTo(events.votes_refused, {{"kind", "vote"}});
  dropped_.RaiseTo(events.items_dropped);
  reorgs_.RaiseTo(events.reorgs);
  const SignatureVerifier::Counts signatures = service_.signature_counts();
  signatures_.RaiseTo(signatures.verified, {{"result", "right"}});
  signatures_.RaiseTo(signatures.wrong, {{"result", "wrong"}});
  signatures_.RaiseTo(signatures.cached, {{"result", "cached"}});

  const ChainService::QueueSizes queues = service_.queue_sizes();
  queued_.Set(static_cast<double>(queues.in_flight_items), {{"queue", "in_flight"}});
  queued_.Set(static_cast<double>(queues.waiting_blocks), {{"queue", "waiting_blocks"}});
  queued_.Set(static_cast<double>(queues.waiting_votes), {{"queue", "waiting_votes"}});
  in_flight_bytes_.Set(static_cast<double>(queues.in_flight_bytes));
}

}  // namespace lean::beacon
