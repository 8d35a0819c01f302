#include "beacon/sync/sync_verdict.h"

namespace lean::beacon {

bool SyncVerdict::MayLeaveStart(const SyncView& view) const {
  const bool nobody_can_be_ahead = view.clock_slot <= static_cast<int64_t>(view.head_slot + options_.behind_slots);
  return nobody_can_be_ahead || view.linked_peers >= options_.configured_peers ||
         view.now - start_ >= options_.start_wait;
}

SyncVerdict::State SyncVerdict::Update(const SyncView& view) {
  const uint64_t lag =
      view.peers_head.has_value() && *view.peers_head > view.head_slot ? *view.peers_head - view.head_slot : 0;
  if (view.progress != progress_) {
    progress_ = view.progress;
    progress_since_ = view.now;
    claims_unproven_ = false;
  }
  const auto begin_syncing = [&] {
    state_ = State::kSyncing;
    progress_since_ = view.now;
  };
  switch (state_) {
    case State::kStarting:
      if (!MayLeaveStart(view)) break;
      state_ = State::kSynced;
      if (lag > options_.caught_up_slots) begin_syncing();
      break;
    case State::kSynced:
      if (lag > options_.behind_slots && !claims_unproven_) begin_syncing();
      break;
    case State::kSyncing:
      if (lag <= options_.caught_up_slots) {
        state_ = State::kSynced;
      } else if (view.now - progress_since_ >= options_.proof_wait) {
        state_ = State::kSynced;
        claims_unproven_ = true;
      }
      break;
  }
  return state_;
}

}  // namespace lean::beacon
