// A budget for what is in flight.
#ifndef LEAN_BEACON_SERVICES_ADMISSION_H_
#define LEAN_BEACON_SERVICES_ADMISSION_H_

#include <cstddef>
#include <mutex>

namespace lean::beacon {

// Thread-safe. Never waits: what does not fit is turned away.
class Admission {
 public:
  Admission(size_t max_items, size_t max_bytes) : max_items_(max_items), max_bytes_(max_bytes) {}

  bool TryAcquire(size_t items, size_t bytes) {
    std::lock_guard lock(mutex_);
    if (items > max_items_ - items_ || bytes > max_bytes_ - bytes_) return false;
    items_ += items;
    bytes_ += bytes;
    return true;
  }

  // As much as was acquired.
  void Release(size_t items, size_t bytes) {
    std::lock_guard lock(mutex_);
    items_ -= items;
    bytes_ -= bytes;
  }

  size_t items() const {
    std::lock_guard lock(mutex_);
    return items_;
  }
  size_t bytes() const {
    std::lock_guard lock(mutex_);
    return bytes_;
  }

 private:
  const size_t max_items_;
  const size_t max_bytes_;
  mutable std::mutex mutex_;
  size_t items_ = 0;  // guarded by mutex_
  size_t bytes_ = 0;  // guarded by mutex_
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SERVICES_ADMISSION_H_
