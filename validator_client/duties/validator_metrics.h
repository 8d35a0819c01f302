// All metrics of lean-validator: a row for each, with its type, meaning, labels and buckets. docs/metrics.md is
// generated from this table.
#ifndef LEAN_VALIDATOR_CLIENT_DUTIES_VALIDATOR_METRICS_H_
#define LEAN_VALIDATOR_CLIENT_DUTIES_VALIDATOR_METRICS_H_

#include "common/metrics/metrics.h"
#include "common/metrics/process_metrics.h"

namespace lean::validator {

// Outlives the scrapes of its registry. Thread-safe.
struct ValidatorMetrics {
  explicit ValidatorMetrics(metrics::Registry& registry) : r(registry) {}
  ValidatorMetrics(const ValidatorMetrics&) = delete;
  ValidatorMetrics& operator=(const ValidatorMetrics&) = delete;

  metrics::Registry& r;
  const metrics::Label duty{"duty", {"block", "votes"}};
  const metrics::Label beacon{"beacon", {}};  // its address

  // Duties.
  metrics::Histogram stage_seconds{r,
                                   "lean_validator_duty_stage_seconds",
                                   "Time of a stage of a block, or of the votes of a slot",
                                   {duty, {"stage", {"build", "sign", "submit"}}},
                                   {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5}};
  metrics::Histogram late_seconds{r,
                                  "lean_validator_duty_late_seconds",
                                  "From the start of the duty's interval to the start of its work",
                                  {duty},
                                  {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2}};
  metrics::Histogram done_seconds{r,
                                  "lean_validator_duty_done_seconds",
                                  "From the start of the interval to the last answer. Budget of a block: one and a "
                                  "half intervals; of votes: two",
                                  {duty},
                                  {0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3}};
  metrics::Counter blocks{r,
                          "lean_validator_blocks_total",
                          "Blocks by result; `failed` includes refused ones",
                          {{"result", {"accepted", "already_known", "queued", "failed"}}}};
  metrics::Counter votes{r,
                         "lean_validator_votes_total",
                         "Votes by result; `failed`: not submitted",
                         {{"result", {"accepted", "already_known", "queued", "refused", "failed"}}}};
  metrics::Counter missed_intervals{
      r, "lean_validator_missed_intervals_total",
      "Intervals in which this process did not run, such as on a suspended machine; their duties are not made up for"};
  metrics::Counter signatures_refused{
      r, "lean_validator_signatures_refused_total", "Refused by the signing records, or by the remote signer", {duty}};
  metrics::Counter repeated_targets{r, "lean_validator_repeated_targets_total",
                                    "Votes with the target of an earlier vote; normal in this protocol"};
  metrics::Counter surrounding_votes{r, "lean_validator_surrounding_votes_total",
                                     "Votes that surround an earlier vote or are surrounded by one; also normal"};
  metrics::Gauge slot{r, "lean_validator_slot", "The current slot by this client's clock"};

  // Beacons.
  metrics::Gauge beacon_ready{r, "lean_validator_beacon_ready", "1: the beacon can be used for duties", {beacon}};
  metrics::Gauge beacon_in_use{
      r, "lean_validator_beacon_in_use", "1: it was the best beacon at the last probe", {beacon}};
  metrics::Gauge beacon_head_slot{r, "lean_validator_beacon_head_slot", "Slot of its head at the last probe", {beacon}};
  metrics::Gauge beacon_latency{
      r, "lean_validator_beacon_latency_seconds", "Latency of its last good answer", {beacon}};
  metrics::Gauge beacon_clock_offset{r,
                                     "lean_validator_beacon_clock_offset_seconds",
                                     "Its clock minus ours, at its last answer with a time",
                                     {beacon}};

  // Servers and log.
  metrics::Gauge listener_answers{r,
                                  "lean_validator_listener_answers",
                                  "1: the server accepts connections, by a probe every 10 s",
                                  {{"listener", {"metrics", "keymanager"}}}};
  metrics::Gauge certificate_end{r,
                                 "lean_validator_certificate_end_seconds",
                                 "Unix time at which the first certificate of these TLS files ends",
                                 {{"tls", {"beacons", "keymanager", "signer"}}}};
  metrics::Counter dropped_log_lines{r, "lean_validator_log_lines_dropped_total",
                                     "Log lines that were dropped because nobody read them in time"};

  // Keys.
  metrics::Gauge keys{
      r, "lean_validator_keys", "Keys by state (docs/keystores.md)", {{"state", {"active", "waiting", "refused"}}}};
  metrics::Gauge key_slots_left{
      r, "lean_validator_key_slots_left", "Slots in which the key can still sign", {{"validator", {}}}};

  // Memory.
  metrics::Footprints queues{r,
                             "lean_validator_queue",
                             "a queue: calls that wait for a thread of their beacon, without the messages, which "
                             "beacons share; signatures that wait for a thread (none with a remote signer); keys that "
                             "wait for preparation",
                             {"queue", {"beacon_calls", "signatures", "keys_to_prepare"}}};
  metrics::Footprints caches{r,
                             "lean_validator_cache",
                             "what is kept in memory: keys, with the nodes of their trees for the prepared slots",
                             {"cache", {"keys"}}};

  // As leanMetrics names them.
  metrics::Gauge validators{r, "lean_validators_count", "Keys of this client, whatever their state"};
  metrics::Counter signatures{r, "lean_pq_sig_attestation_signatures_total", "Votes that were signed"};
  metrics::Histogram signing_seconds{r,
                                     "lean_pq_sig_attestation_signing_time_seconds",
                                     "Time to sign a vote: that of the votes of a slot, divided by their number",
                                     {},
                                     {0.005, 0.01, 0.025, 0.05, 0.1, 1}};
  metrics::Histogram production_seconds{r,
                                        "lean_attestations_production_time_seconds",
                                        "Time to produce the votes of a slot: from the question to a beacon to the "
                                        "last signature",
                                        {},
                                        {0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1}};

  metrics::ProcessMetrics process{r, "lean-validator"};
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_DUTIES_VALIDATOR_METRICS_H_
