// The queue of blocks and votes that wait to be written to the database.
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

// A block, and what is written of its post-state. The bytes of the waiting blocks bound the memory, since few states
// are held.
struct ImportedBlock {
  Root root;
  SignedBlockPtr block;
  Checkpoint justified;  // by its post-state, like `finalized`
  Checkpoint finalized;
  std::optional<HistoricalBlockHashes> history = std::nullopt;  // of its post-state, when it advances finality
  StatePtr snapshot = nullptr;                                  // its post-state, when the database keeps it
  std::vector<SignedVotePtr> votes = {};                        // all known votes, when the database keeps the state
};
using StorageItem = std::variant<ImportedBlock, SignedVotePtr, ChainCheckpoints>;

// Between the chain's writer and the thread that writes to the disk. Push never blocks and never refuses, so that items
// in flight are not lost; the producer checks full() before it admits more. Thread-safe.
class StorageQueue {
 public:
  // Full when more than `max_bytes` wait, or an item has waited for longer than `max_lag`. `clock`
  // outlives it.
  StorageQueue(Clock& clock, size_t max_bytes, std::chrono::nanoseconds max_lag)
      : clock_(clock), max_bytes_(max_bytes), max_lag_(max_lag) {}

  // `bytes`: the approximate size of the item.
  void Push(StorageItem item, size_t bytes);

  // Waits for items and takes the first ones, up to `max_bytes` and at least one. Empty: nothing arrived within `wait`.
  // nullopt: closed and empty.
  std::optional<std::vector<StorageItem>> Take(size_t max_bytes, std::chrono::nanoseconds wait);

  // Items that Take has returned count until Done is called.
  void Done();

  // Ends the queue: nothing is pushed any more.
  void Close();

  bool full() const;
  size_t items() const;
  size_t bytes() const;
  // Waits until everything pushed before is done.
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
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;  // of the entries and of the items taken
  size_t taken_items_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t taken_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  SteadyTime taken_since_ ABSL_GUARDED_BY(mutex_);  // when the first of the items taken was pushed
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_STORAGE_STORAGE_QUEUE_H_
