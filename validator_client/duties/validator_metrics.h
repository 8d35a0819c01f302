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
                                   "Time of a stage of a duty (duty: block, votes; stage: build, sign, submit)",
                                   {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5}};
  metrics::Histogram late_seconds{r,
                                  "lean_validator_duty_late_seconds",
                                  "From the beginning of a duty's interval to the beginning of its work (duty)",
                                  {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2}};
  metrics::Histogram done_seconds{r,
                                  "lean_validator_duty_done_seconds",
                                  "From the beginning of a duty's interval to its last answer: its budget (duty)",
                                  {0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3}};
  metrics::Counter blocks{r, "lean_validator_blocks_total",
                          "Blocks by what became of them (result: accepted, already_known, queued, failed)"};
  metrics::Counter votes{r, "lean_validator_votes_total",
                         "Votes by what became of them (result: accepted, already_known, queued, refused, failed)"};
  metrics::Counter missed_intervals{r, "lean_validator_missed_intervals_total",
                                    "Intervals that went by without this process, as on a suspended machine"};
  metrics::Counter signatures_refused{r, "lean_validator_signatures_refused_total",
                                      "Signatures that the signing records (or the signer elsewhere) refused (duty)"};
  metrics::Counter repeated_targets{r, "lean_validator_repeated_targets_total",
                                    "Votes whose target an earlier one of the validator had: normal in this protocol"};
  metrics::Counter surrounding_votes{r, "lean_validator_surrounding_votes_total",
                                     "Votes that surround an earlier one, or are surrounded by it: normal as well"};
  metrics::Gauge slot{r, "lean_validator_slot", "The current slot by this client's clock"};
  metrics::Gauge beacon_ready{r, "lean_validator_beacon_ready", "1: duties may be done with it (beacon)"};
  metrics::Gauge beacon_in_use{r, "lean_validator_beacon_in_use", "1: the best beacon at the last probe (beacon)"};
  metrics::Gauge beacon_head_slot{r, "lean_validator_beacon_head_slot", "Slot of its head at the last probe (beacon)"};
  metrics::Gauge beacon_latency{r, "lean_validator_beacon_latency_seconds", "Of its last good answer (beacon)"};
  metrics::Gauge beacon_clock_offset{r, "lean_validator_beacon_clock_offset_seconds",
                                     "Its clock minus ours at the last probe that told (beacon)"};
  metrics::Gauge listener_answers{r, "lean_validator_listener_answers",
                                  "1: who connects there is heard, at the last probe (listener: keymanager, metrics)"};
  metrics::Counter dropped_log_lines{r, "lean_validator_log_lines_dropped_total",
                                     "Lines of the log that nobody read in time"};
  metrics::Gauge keys{r, "lean_validator_keys", "Keys by where they stand (state: active, waiting, refused)"};
  metrics::Gauge key_slots_left{r, "lean_validator_key_slots_left",
                                "Slots that a key can still sign in, from the current one on (validator)"};
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_DUTIES_VALIDATOR_METRICS_H_
