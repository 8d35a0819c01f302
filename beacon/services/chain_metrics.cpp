#include "beacon/services/chain_metrics.h"

namespace lean::beacon {

void ImportStopwatch::Report(uint64_t slots, size_t votes, ChainMetrics& metrics) const {
  const auto between = [this](TransitionStep from, TransitionStep to) {
    return SecondsOf(passed_[static_cast<size_t>(to)] - passed_[static_cast<size_t>(from)]);
  };
  metrics.block.Observe(SecondsOf(total()));
  metrics.transition.Observe(between(TransitionStep::kStart, TransitionStep::kStateRoot));
  metrics.transition_slots.Add({}, static_cast<double>(slots));
  metrics.transition_slots_time.Observe(between(TransitionStep::kStart, TransitionStep::kSlots));
  metrics.transition_block_time.Observe(between(TransitionStep::kSlots, TransitionStep::kVotes));
  metrics.transition_votes.Add({}, static_cast<double>(votes));
  metrics.transition_votes_time.Observe(between(TransitionStep::kHeader, TransitionStep::kVotes));
}

}  // namespace lean::beacon
