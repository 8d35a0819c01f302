#include "beacon/storage/storage_queue.h"

#include <utility>

namespace lean::beacon {

void StorageQueue::Push(StorageItem item, size_t bytes) {
  {
    MutexLock lock(mutex_);
    if (closed_) return;
    entries_.push_back({std::move(item), bytes, std::chrono::steady_clock::now()});
    bytes_ += bytes;
  }
  changed_.NotifyAll();
}

std::optional<std::vector<StorageItem>> StorageQueue::Take(size_t max_bytes, std::chrono::nanoseconds wait) {
  MutexLock lock(mutex_);
  std::vector<StorageItem> items;
  if (!changed_.WaitFor(mutex_, wait,
                        [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return closed_ || !entries_.empty(); }))
    return items;
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
  changed_.NotifyAll();
}

void StorageQueue::Close() {
  {
    MutexLock lock(mutex_);
    closed_ = true;
  }
  changed_.NotifyAll();
}

bool StorageQueue::full() const {
  MutexLock lock(mutex_);
  if (bytes_ >= max_bytes_) return true;
  if (entries_.empty() && taken_items_ == 0) return false;
  const Time oldest = taken_items_ > 0 ? taken_since_ : entries_.front().pushed;
  return std::chrono::steady_clock::now() - oldest > max_lag_;
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
  changed_.Wait(mutex_,
                [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return entries_.empty() && taken_items_ == 0; });
}

}  // namespace lean::beacon
