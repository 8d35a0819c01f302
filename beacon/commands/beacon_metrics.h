// Every metric of lean-beacon: names, meanings and labels. docs/metrics.md lists the same.
#ifndef LEAN_BEACON_COMMANDS_BEACON_METRICS_H_
#define LEAN_BEACON_COMMANDS_BEACON_METRICS_H_

#include "beacon/services/chain_service.h"
#include "common/metrics/metrics.h"

namespace lean::beacon {

// All of it is read at a scrape: nothing on the chain's way counts for it.
class BeaconMetrics {
 public:
  // Refreshes itself from `service`, which outlives the registry's scrapes.
  BeaconMetrics(metrics::Registry& registry, const ChainService& service);
  BeaconMetrics(const BeaconMetrics&) = delete;
  BeaconMetrics& operator=(const BeaconMetrics&) = delete;

 private:
  void Refresh();

  const ChainService& service_;
  metrics::Registry& r_;

  metrics::Gauge slot_{r_, "lean_beacon_slot", "The current slot by this beacon's clock"};
  metrics::Gauge head_slot_{r_, "lean_beacon_head_slot", "Slot of the head"};
  metrics::Gauge justified_slot_{r_, "lean_beacon_justified_slot", "Slot of the latest justified block"};
  metrics::Gauge finalized_slot_{r_, "lean_beacon_finalized_slot", "Slot of the latest finalized block"};
  metrics::Counter imported_{r_, "lean_beacon_imported_total", "Items taken into the chain (kind: block, vote)"};
  metrics::Counter refused_{r_, "lean_beacon_refused_total", "Items refused at the edge or by the chain (kind)"};
  metrics::Counter dropped_{r_, "lean_beacon_dropped_total", "Items that waited in vain for what they depend on"};
  metrics::Counter reorgs_{r_, "lean_beacon_reorgs_total", "Changes to a head that is no descendant of the last one"};
  metrics::Counter signatures_{r_, "lean_beacon_signatures_total",
                               "Signatures looked at (result: right, wrong, cached: known to be right)"};
  metrics::Gauge queued_{r_, "lean_beacon_queue_items",
                         "Items in a queue (queue: in_flight, waiting_blocks, waiting_votes)"};
  metrics::Gauge in_flight_bytes_{r_, "lean_beacon_in_flight_bytes", "Bytes submitted and not yet answered"};
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_COMMANDS_BEACON_METRICS_H_
