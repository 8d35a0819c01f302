// Whether the beacon is in sync with its peers.
#ifndef LEAN_BEACON_SYNC_SYNC_STATUS_H_
#define LEAN_BEACON_SYNC_SYNC_STATUS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
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

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SYNC_SYNC_STATUS_H_
