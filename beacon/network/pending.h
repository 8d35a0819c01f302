// Waiting for work that is under way elsewhere.
#ifndef LEAN_BEACON_NETWORK_PENDING_H_
#define LEAN_BEACON_NETWORK_PENDING_H_

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>

namespace lean::beacon {

// Counts tokens. Thread-safe.
class Pending {
 public:
  // Counts as long as it, or a copy of it, is alive. It keeps `pending` alive.
  static std::shared_ptr<void> Token(const std::shared_ptr<Pending>& pending) {
    std::lock_guard lock(pending->mutex_);
    ++pending->count_;
    return {nullptr, [pending](void*) { pending->End(); }};
  }

  // Returns when there is no token left.
  void Await() {
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [this] { return count_ == 0; });
  }

 private:
  void End() {
    std::lock_guard lock(mutex_);
    if (--count_ == 0) ended_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable ended_;
  size_t count_ = 0;  // guarded by mutex_
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_PENDING_H_
