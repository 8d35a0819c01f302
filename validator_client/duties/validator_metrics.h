// All metrics of lean-validator with their names, meanings and labels. docs/metrics.md lists the same.
#ifndef LEAN_VALIDATOR_CLIENT_DUTIES_VALIDATOR_METRICS_H_
#define LEAN_VALIDATOR_CLIENT_DUTIES_VALIDATOR_METRICS_H_

#include "common/metrics/metrics.h"

namespace lean::validator {

// Thread-safe.
struct ValidatorMetrics {
  explicit ValidatorMetrics(metrics::Registry& registry) : r(registry) {}

  metrics::Registry& r;

  metrics::Histogram stage_seconds{r,
                                   "lean_validator_duty_stage_seconds",
                                   "Duration of a stage of a duty (duty: block, votes; stage: build, sign, submit)",
                                   {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5}};
  metrics::Histogram late_seconds{r,
                                  "lean_validator_duty_late_seconds",
                                  "From the start of a duty's interval to the start of its work (duty)",
                                  {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2}};
  metrics::Histogram done_seconds{r,
                                  "lean_validator_duty_done_seconds",
                                  "From the start of a duty's interval to its last answer (duty)",
                                  {0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3}};
  metrics::Counter blocks{r, "lean_validator_blocks_total",
                          "Blocks by result (result: accepted, already_known, queued, failed)"};
  metrics::Counter votes{r, "lean_validator_votes_total",
                         "Votes by result (result: accepted, already_known, queued, refused, failed)"};
  metrics::Counter missed_intervals{r, "lean_validator_missed_intervals_total",
                                    "Intervals in which this process did not run, such as on a suspended machine"};
  metrics::Counter signatures_refused{r, "lean_validator_signatures_refused_total",
                                      "Signatures that the signing records or the remote signer refused (duty)"};
  metrics::Counter repeated_targets{
      r, "lean_validator_repeated_targets_total",
      "Votes with the target of an earlier vote of the validator: normal in this protocol"};
  metrics::Counter surrounding_votes{r, "lean_validator_surrounding_votes_total",
                                     "Votes that surround an earlier vote or are surrounded by one: normal as well"};
  metrics::Gauge slot{r, "lean_validator_slot", "The current slot by this client's clock"};
  metrics::Gauge beacon_ready{r, "lean_validator_beacon_ready", "1: it can be used for duties (beacon)"};
  metrics::Gauge beacon_in_use{r, "lean_validator_beacon_in_use", "1: the best beacon at the last probe (beacon)"};
  metrics::Gauge beacon_head_slot{r, "lean_validator_beacon_head_slot", "Slot of its head at the last probe (beacon)"};
  metrics::Gauge beacon_latency{r, "lean_validator_beacon_latency_seconds", "Latency of its last good answer (beacon)"};
  metrics::Gauge beacon_clock_offset{r, "lean_validator_beacon_clock_offset_seconds",
                                     "Its clock minus ours at the last answer with a time (beacon)"};
  metrics::Gauge listener_answers{r, "lean_validator_listener_answers",
                                  "1: it answered the last probe (listener: keymanager, metrics)"};
  metrics::Counter dropped_log_lines{r, "lean_validator_log_lines_dropped_total",
                                     "Log lines dropped because they were not read in time"};
  metrics::Gauge keys{r, "lean_validator_keys", "Keys by state (state: active, waiting, refused)"};
  metrics::Gauge key_slots_left{r, "lean_validator_key_slots_left",
                                "Slots that a key can still sign in, from the current one on (validator)"};
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_DUTIES_VALIDATOR_METRICS_H_
