// Whether the beacon is as far as its peers, for those who serve duties and answer people.
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
  bool synced = true;        // duties are served: we are as far as our peers, and our clock is right
  uint64_t lag_slots = 0;    // how far the head is behind the best peer that is believed
  std::string ahead = {};    // that peer, for people; empty: nobody is ahead
  uint64_t target_slot = 0;  // its head's slot; 0: nobody is ahead
  // Of the range that is being fetched, if any; 0 else.
  uint64_t slots_done = 0;
  uint64_t slots_left = 0;
  double blocks_per_second = 0;
  // For people: "synced", "132 slots behind peer-3 (10.0.0.2:9000)", "waiting for the first peers".
  std::string message = "synced";
};

// Where the sync says how it stands. Thread-safe. Nothing said yet: not synced.
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

  // Tells the status now and each later one, on the thread that sets it; it must not call back. Null: no one. Once it
  // returns, the one before is not called any more.
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
