// Metrics of the chain's work, under the names of leanMetrics.
#ifndef LEAN_BEACON_SERVICES_CHAIN_METRICS_H_
#define LEAN_BEACON_SERVICES_CHAIN_METRICS_H_

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "beacon/chain/state_transition.h"
#include "common/clock/clock.h"
#include "common/metrics/metrics.h"

namespace lean::beacon {

// A part of the beacon's table. Updated outside of the chain's lock. Thread-safe.
struct ChainMetrics {
  explicit ChainMetrics(metrics::Registry& registry) : r(registry) {}
  ChainMetrics(const ChainMetrics&) = delete;
  ChainMetrics& operator=(const ChainMetrics&) = delete;

  metrics::Registry& r;
  const std::vector<double> short_times = {0.005, 0.01, 0.025, 0.05, 0.1, 1};

  metrics::Histogram signature{r,
                               "lean_pq_sig_attestation_verification_time_seconds",
                               "Time to verify a signature: that of a batch, divided by its signatures",
                               {},
                               short_times};
  metrics::Histogram vote_validation{r,
                                     "lean_attestation_validation_time_seconds",
                                     "Time to validate a vote with a right signature, and to take it into fork choice",
                                     {},
                                     short_times};
  metrics::Histogram block{r,
                           "lean_fork_choice_block_processing_time_seconds",
                           "Time to import a block: its transition, its votes and the new head",
                           {},
                           {0.005, 0.01, 0.025, 0.05, 0.1, 1, 1.25, 1.5, 2, 4}};
  metrics::Histogram transition{r,
                                "lean_state_transition_time_seconds",
                                "Time of a whole state transition, with the check of the state's root",
                                {},
                                {0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 2.5, 3, 4}};
  metrics::Counter transition_slots{r, "lean_state_transition_slots_processed_total",
                                    "Slots by which transitions advanced states"};
  metrics::Histogram transition_slots_time{
      r, "lean_state_transition_slots_processing_time_seconds", "Time of a transition's slots", {}, short_times};
  metrics::Histogram transition_block_time{r,
                                           "lean_state_transition_block_processing_time_seconds",
                                           "Time of a transition's header and votes",
                                           {},
                                           short_times};
  metrics::Counter transition_votes{r, "lean_state_transition_attestations_processed_total",
                                    "Votes in the blocks of transitions"};
  metrics::Histogram transition_votes_time{
      r, "lean_state_transition_attestations_processing_time_seconds", "Time of a transition's votes", {}, short_times};
  metrics::Histogram reorg_depth{r,
                                 "lean_fork_choice_reorg_depth",
                                 "Blocks of the old head's chain that a reorg leaves",
                                 {},
                                 {1, 2, 3, 5, 7, 10, 20, 30, 50, 100}};
  metrics::Counter finalizations{r,
                                 "lean_finalizations_total",
                                 "Moves of the justified block: `success` if the finalized block moved, too, otherwise "
                                 "`error`",
                                 {{"result", {"success", "error"}}}};
  metrics::Histogram tick{r,
                          "lean_tick_interval_duration_seconds",
                          "Time between two ticks of the chain's clock; an interval of pq-devnet-1 is a quarter of a "
                          "slot",
                          {},
                          {0.4, 0.6, 0.75, 0.8, 0.805, 0.81, 0.815, 0.82, 0.825, 0.85, 0.9, 1.0, 1.2, 1.6}};
  metrics::Histogram block_building{
      r, "lean_block_building_time_seconds", "Time to build a block", {}, {0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1}};
  metrics::Counter blocks_built{r, "lean_block_building_success_total", "Blocks that were built"};
  metrics::Counter blocks_not_built{r, "lean_block_building_failures_total", "Blocks that could not be built"};
};

// Times the import of one block. The chain, which has no clock, tells its steps (TransitionWatch).
class ImportStopwatch {
 public:
  explicit ImportStopwatch(const Clock& clock) : clock_(clock), begun_(clock.Steady()) {}

  void Pass(TransitionStep step) { passed_[static_cast<size_t>(step)] = clock_.Steady(); }
  // The import has ended.
  void Stop() { ended_ = clock_.Steady(); }

  std::chrono::nanoseconds total() const { return ended_ - begun_; }
  // After an import without an error, of a block with `votes` on a state `slots` before it.
  void Report(uint64_t slots, size_t votes, ChainMetrics& metrics) const;

 private:
  const Clock& clock_;
  const SteadyTime begun_;
  SteadyTime ended_{};
  std::array<SteadyTime, kTransitionSteps> passed_{};
};

// Seconds of a duration, as metrics have them.
inline double SecondsOf(std::chrono::nanoseconds time) { return std::chrono::duration<double>(time).count(); }

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SERVICES_CHAIN_METRICS_H_
