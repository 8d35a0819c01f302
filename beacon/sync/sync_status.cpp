#include "beacon/sync/sync_status.h"

namespace lean::beacon {

bool SyncVerdict::IsFresh(const SyncView& view) const {
  return view.clock_slot <= static_cast<int64_t>(view.head_slot + options_.behind_slots);
}

bool SyncVerdict::MayLeaveStart(const SyncView& view) const {
  return IsFresh(view) || view.linked_peers >= options_.configured_peers || view.now - start_ >= options_.start_wait;
}

bool SyncVerdict::MayServe(const SyncView& view) const {
  return IsFresh(view) || !linked_since_.has_value() || view.now - *linked_since_ >= options_.hearing_wait;
}

SyncVerdict::State SyncVerdict::Update(const SyncView& view) {
  const uint64_t lag =
      view.peers_head.has_value() && *view.peers_head > view.head_slot ? *view.peers_head - view.head_slot : 0;
  if (view.progress != progress_) {
    progress_ = view.progress;
    progress_since_ = view.now;
    claims_unproven_ = false;
  }
  if (!linked_since_.has_value() && view.linked_peers > 0) linked_since_ = view.now;
  const auto begin_syncing = [&] {
    state_ = State::kSyncing;
    progress_since_ = view.now;
  };
  switch (state_) {
    case State::kStarting:
      if (!MayLeaveStart(view)) break;
      if (lag > options_.caught_up_slots) {
        begin_syncing();
      } else if (MayServe(view)) {
        state_ = State::kSynced;
      }
      break;
    case State::kSynced:
      if (lag > options_.behind_slots && !claims_unproven_) begin_syncing();
      break;
    case State::kSyncing:
      if (lag <= options_.caught_up_slots) {
        if (MayServe(view)) state_ = State::kSynced;
      } else if (view.now - progress_since_ >= options_.proof_wait) {
        state_ = State::kSynced;
        claims_unproven_ = true;
      }
      break;
  }
  return state_;
}

}  // namespace lean::beacon
