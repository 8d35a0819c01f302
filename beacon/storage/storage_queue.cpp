#include "beacon/storage/storage_queue.h"

#include <utility>

namespace lean::beacon {

void StorageQueue::Push(StorageItem item, size_t bytes) {
  {
    MutexLock lock(mutex_);
    if (closed_) return;
    entries_.push_back({std::move(item), bytes, clock_.Steady()});
    bytes_ += bytes;
  }
  pushed_.Signal();
}

std::optional<std::vector<StorageItem>> StorageQueue::Take(size_t max_bytes, std::chrono::nanoseconds wait) {
  const SteadyTime deadline = clock_.Steady() + wait;
  std::vector<StorageItem> items;
  MutexLock lock(mutex_);
  while (entries_.empty() && !closed_) {
    lock.Unlock();
    const bool signalled = pushed_.WaitUntil(clock_, deadline);
    lock.Lock();
    if (!signalled && entries_.empty() && !closed_) return items;
  }
  if (entries_.empty()) return std::nullopt;
  taken_since_ = entries_.front().pushed;
  while (!entries_.empty() && (items.empty() || taken_bytes_ + entries_.front().bytes <= max_bytes)) {
    taken_bytes_ += entries_.front().bytes;
    items.push_back(std::move(entries_.front().item));
    entries_.pop_front();
  }
  taken_items_ = items.size();
  return items;
}

void StorageQueue::Done() {
  {
    MutexLock lock(mutex_);
    bytes_ -= std::exchange(taken_bytes_, 0);
    taken_items_ = 0;
  }
  done_.NotifyAll();
}

void StorageQueue::Close() {
  {
    MutexLock lock(mutex_);
    closed_ = true;
  }
  pushed_.Signal();
}

bool StorageQueue::full() const {
  MutexLock lock(mutex_);
  if (bytes_ >= max_bytes_) return true;
  if (entries_.empty() && taken_items_ == 0) return false;
  const SteadyTime oldest = taken_items_ > 0 ? taken_since_ : entries_.front().pushed;
  return clock_.Steady() - oldest > max_lag_;
}

size_t StorageQueue::items() const {
  MutexLock lock(mutex_);
  return entries_.size() + taken_items_;
}

size_t StorageQueue::bytes() const {
  MutexLock lock(mutex_);
  return bytes_;
}

void StorageQueue::AwaitEmpty() const {
  MutexLock lock(mutex_);
  done_.Wait(mutex_, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return entries_.empty() && taken_items_ == 0; });
}

}  // namespace lean::beacon
