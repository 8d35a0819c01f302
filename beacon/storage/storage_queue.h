// What waits to be written.
#ifndef LEAN_BEACON_STORAGE_STORAGE_QUEUE_H_
#define LEAN_BEACON_STORAGE_STORAGE_QUEUE_H_

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <variant>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "beacon/chain/chain_types.h"
#include "beacon/services/chain_observer.h"
#include "common/bytes/bytes.h"
#include "common/clock/clock.h"
#include "common/concurrency/mutex.h"

namespace lean::beacon {

// A block, and of its post-state what is written. Handles on states are few: what waits is bounded by its blocks'
// bytes.
struct ImportedBlock {
  Root root;
  SignedBlockPtr block;
  Checkpoint justified;  // by its post-state, as is the next
  Checkpoint finalized;
  std::optional<HistoricalBlockHashes> history = std::nullopt;  // of its post-state, when it finalizes a later block
  StatePtr snapshot = nullptr;                                  // its post-state, when that is to be kept
  std::vector<SignedVotePtr> votes = {};                        // all known ones, when its state is to be kept
};
using StorageItem = std::variant<ImportedBlock, SignedVotePtr, ChainCheckpoints>;

// Between the chain's writer and the thread that writes to the disk. Whoever fills it looks at `full` before it lets
// more in; Push itself never waits and never refuses, so that what is under way is not lost. Thread-safe.
class StorageQueue {
 public:
  // Full when more than `max_bytes` wait to be written, or something has waited for longer than `max_lag`. `clock`
  // outlives it.
  StorageQueue(Clock& clock, size_t max_bytes, std::chrono::nanoseconds max_lag)
      : clock_(clock), max_bytes_(max_bytes), max_lag_(max_lag) {}

  // `bytes`: about what the item weighs.
  void Push(StorageItem item, size_t bytes);

  // Waits for items and takes those in front, of `max_bytes` together, but one at least. None: nothing came for `wait`.
  // nullopt: closed and empty.
  std::optional<std::vector<StorageItem>> Take(size_t max_bytes, std::chrono::nanoseconds wait);

  // Items that Take gave count until they are done.
  void Done();

  // Nothing is pushed any more.
  void Close();

  bool full() const;
  size_t items() const;
  size_t bytes() const;
  // Waits until everything pushed before has been done.
  void AwaitEmpty() const;

 private:
  struct Entry {
    StorageItem item;
    size_t bytes;
    SteadyTime pushed;
  };

  Clock& clock_;
  const size_t max_bytes_;
  const std::chrono::nanoseconds max_lag_;
  mutable Mutex mutex_;
  mutable CondVar done_;
  Wake pushed_;  // or closed
  std::deque<Entry> entries_ ABSL_GUARDED_BY(mutex_);
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;  // of the entries and of what was taken
  size_t taken_items_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t taken_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  SteadyTime taken_since_ ABSL_GUARDED_BY(mutex_);  // when the first of what was taken had been pushed
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_STORAGE_STORAGE_QUEUE_H_
