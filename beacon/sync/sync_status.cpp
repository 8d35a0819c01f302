#include "beacon/sync/sync_status.h"

#include <algorithm>

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

bool SyncVerdict::HasReachedTarget(const SyncView& view) const {
  const bool is_proven = view.progress != progress_before_;
  return !is_proven || IsFresh(view) || target_slot_ <= view.head_slot + options_.caught_up_slots;
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
    target_slot_ = view.peers_head.value_or(0);
    progress_before_ = view.progress;
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
      target_slot_ = std::max(target_slot_, view.peers_head.value_or(0));
      if (lag <= options_.caught_up_slots && HasReachedTarget(view)) {
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
