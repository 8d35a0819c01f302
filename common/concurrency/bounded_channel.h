// A bounded queue between threads. Written here because neither the standard library nor Abseil has one.
#ifndef LEAN_COMMON_CONCURRENCY_BOUNDED_CHANNEL_H_
#define LEAN_COMMON_CONCURRENCY_BOUNDED_CHANNEL_H_

#include <cstddef>
#include <deque>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "common/concurrency/mutex.h"

namespace lean {

enum class PushResult { kPushed, kFull, kClosed };

// First in, first out, for any number of threads at both ends. Thread-safe. After Close it accepts nothing more, but
// its values can still be taken.
template <typename T>
class BoundedChannel {
 public:
  explicit BoundedChannel(size_t capacity) : capacity_(capacity) {}
  BoundedChannel(const BoundedChannel&) = delete;
  BoundedChannel& operator=(const BoundedChannel&) = delete;

  // Does not block. `value` is moved from only if the result is kPushed, so that the caller can still use it otherwise.
  PushResult TryPush(T&& value) {
    {
      MutexLock lock(mutex_);
      if (closed_) return PushResult::kClosed;
      if (values_.size() >= capacity_) return PushResult::kFull;
      values_.push_back(std::move(value));
    }
    pushed_.NotifyOne();
    return PushResult::kPushed;
  }

  // Waits for a value. nullopt: the channel is closed and empty.
  std::optional<T> Pop() {
    MutexLock lock(mutex_);
    pushed_.Wait(mutex_, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return closed_ || !values_.empty(); });
    return TakeLocked();
  }

  // Does not wait. nullopt: there is no value at the moment.
  std::optional<T> TryPop() {
    MutexLock lock(mutex_);
    return TakeLocked();
  }

  void Close() {
    {
      MutexLock lock(mutex_);
      closed_ = true;
    }
    pushed_.NotifyAll();
  }

  size_t size() const {
    MutexLock lock(mutex_);
    return values_.size();
  }

 private:
  // nullopt: there is no value.
  std::optional<T> TakeLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (values_.empty()) return std::nullopt;
    std::optional<T> value(std::move(values_.front()));
    values_.pop_front();
    return value;
  }

  const size_t capacity_;
  mutable Mutex mutex_;
  CondVar pushed_;
  std::deque<T> values_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace lean

#endif  // LEAN_COMMON_CONCURRENCY_BOUNDED_CHANNEL_H_
