// A queue between threads that never grows beyond its bound.
#ifndef LEAN_COMMON_CONCURRENCY_BOUNDED_CHANNEL_H_
#define LEAN_COMMON_CONCURRENCY_BOUNDED_CHANNEL_H_

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace lean {

enum class PushResult { kPushed, kFull, kClosed };

// Any number of threads at both ends; first in, first out. Thread-safe. Once closed it takes nothing more, and hands
// out what it holds.
template <typename T>
class BoundedChannel {
 public:
  explicit BoundedChannel(size_t capacity) : capacity_(capacity) {}
  BoundedChannel(const BoundedChannel&) = delete;
  BoundedChannel& operator=(const BoundedChannel&) = delete;

  // Never waits. `value` is moved from only when kPushed, so that the caller can still answer for it.
  PushResult TryPush(T&& value) {
    {
      std::lock_guard lock(mutex_);
      if (closed_) return PushResult::kClosed;
      if (values_.size() >= capacity_) return PushResult::kFull;
      values_.push_back(std::move(value));
    }
    pushed_.notify_one();
    return PushResult::kPushed;
  }

  // Waits for a value; nullopt when the channel is closed and empty.
  std::optional<T> Pop() {
    std::unique_lock lock(mutex_);
    pushed_.wait(lock, [this] { return closed_ || !values_.empty(); });
    if (values_.empty()) return std::nullopt;
    std::optional<T> value(std::move(values_.front()));
    values_.pop_front();
    return value;
  }

  void Close() {
    {
      std::lock_guard lock(mutex_);
      closed_ = true;
    }
    pushed_.notify_all();
  }

  size_t size() const {
    std::lock_guard lock(mutex_);
    return values_.size();
  }
  size_t capacity() const { return capacity_; }

 private:
  const size_t capacity_;
  mutable std::mutex mutex_;
  std::condition_variable pushed_;
  std::deque<T> values_;  // guarded by mutex_
  bool closed_ = false;   // guarded by mutex_
};

}  // namespace lean

#endif  // LEAN_COMMON_CONCURRENCY_BOUNDED_CHANNEL_H_
