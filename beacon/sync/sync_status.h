// Whether the beacon is in sync with its peers: the decision, and the status that it leads to.
#ifndef LEAN_BEACON_SYNC_SYNC_STATUS_H_
#define LEAN_BEACON_SYNC_SYNC_STATUS_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "common/clock/clock.h"
#include "common/concurrency/mutex.h"

namespace lean::beacon {

struct SyncStatus {
  bool synced = true;        // in sync and with a right clock: duties are served
  uint64_t lag_slots = 0;    // distance of our head behind the best believed peer
  std::string ahead = {};    // that peer, for people; empty: no peer is ahead
  uint64_t target_slot = 0;  // slot of its head; 0: no peer is ahead
  // Of the range that is being fetched; 0 if there is none.
  uint64_t slots_done = 0;
  uint64_t slots_left = 0;
  double blocks_per_second = 0;
  size_t blocks_held = 0;   // fetched and not yet imported
  size_t bytes_held = 0;    // of these
  size_t roots_wanted = 0;  // missing blocks that are requested
  // For people: "synced", "132 slots behind peer-3 (10.0.0.2:9000)", "waiting for the first peers".
  std::string message = "synced";
};

// Holds the latest status of the sync. Not synced until the first Set. Thread-safe.
class SyncBoard {
 public:
  SyncStatus Get() const {
    MutexLock lock(mutex_);
    return status_;
  }
  void Set(SyncStatus status) {
    MutexLock lock(mutex_);
    status_ = std::move(status);
    if (watcher_ != nullptr) watcher_(status_);
  }

  // Calls `watcher` with the status now and at each change, on the thread that calls Set; it must not call back. Null
  // removes the watcher. After Watch returns, the watcher before is not called any more.
  void Watch(std::function<void(const SyncStatus&)> watcher) {
    MutexLock lock(mutex_);
    watcher_ = std::move(watcher);
    if (watcher_ != nullptr) watcher_(status_);
  }

 private:
  mutable Mutex mutex_;
  SyncStatus status_ ABSL_GUARDED_BY(mutex_){.synced = false, .message = "starting"};
  std::function<void(const SyncStatus&)> watcher_ ABSL_GUARDED_BY(mutex_);
};

struct SyncVerdictOptions {
  uint64_t behind_slots = 8;     // syncing when more than this behind a peer
  uint64_t caught_up_slots = 2;  // synced again when at most this behind
  // How long after the start we wait for the configured peers before we are synced without them.
  std::chrono::milliseconds start_wait{8'000};
  // With a head far behind the clock we are synced only after a peer was connected for this long. Either all beacons
  // were off, or our clock is wrong; by then the votes of others have shown which.
  std::chrono::milliseconds hearing_wait{0};
  // After syncing for this long without a new block, the claims of the peers count as false, and we are synced until
  // blocks arrive.
  std::chrono::milliseconds proof_wait{32'000};
  size_t configured_peers = 0;
};

// The inputs of one decision.
struct SyncView {
  SteadyTime now;
  uint64_t head_slot = 0;
  int64_t clock_slot = 0;              // negative before genesis
  std::optional<uint64_t> peers_head;  // highest slot that a believed peer claims and we lack
  size_t linked_peers = 0;
  uint64_t progress = 0;  // any number that grows with each new block
};

// A beacon is synced when no believed peer is ahead of it, so that the chain continues after all beacons were off.
// While it syncs and blocks arrive, it stays behind the highest slot that was claimed, although the only peer that
// claimed it may be gone or not believed for a while: after proof_wait without a block it is synced. Peers that claim
// to be ahead of the clock are not believed, so that nobody can make us sync while our head follows the clock.
class SyncVerdict {
 public:
  enum class State { kStarting, kSynced, kSyncing };

  SyncVerdict(const SyncVerdictOptions& options, SteadyTime start)
      : options_(options), start_(start), progress_since_(start) {}

  State Update(const SyncView& view);
  State state() const { return state_; }
  // While syncing: the highest slot that a believed peer has claimed since syncing began.
  uint64_t target_slot() const { return target_slot_; }

 private:
  // The head is so close to the clock that no peer can be far ahead of it.
  bool IsFresh(const SyncView& view) const;
  bool MayLeaveStart(const SyncView& view) const;
  bool MayServe(const SyncView& view) const;
  bool HasReachedTarget(const SyncView& view) const;

  const SyncVerdictOptions options_;
  const SteadyTime start_;
  State state_ = State::kStarting;
  uint64_t progress_ = 0;
  uint64_t target_slot_ = 0;
  uint64_t progress_before_ = 0;            // when syncing began
  SteadyTime progress_since_;               // when `progress` last grew, or syncing began
  std::optional<SteadyTime> linked_since_;  // since when at least one peer is connected
  bool claims_unproven_ = false;            // syncing ended without a new block
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SYNC_SYNC_STATUS_H_
