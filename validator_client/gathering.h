// Collects what calls to several beacons bring, each on a thread of its own.
#ifndef LEAN_VALIDATOR_CLIENT_GATHERING_H_
#define LEAN_VALIDATOR_CLIENT_GATHERING_H_

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace lean::validator {

// Thread-safe. Tasks hold it by shared_ptr: those that come too late put their results where nobody looks.
template <class Result>
class Gathering {
 public:
  // Of `size` calls to come.
  explicit Gathering(size_t size) : results_(size), open_(size) {}

  void Put(size_t i, Result result) {
    absl::MutexLock lock(&mutex_);
    results_[i] = std::move(result);
    --open_;
  }

  // Waits until every call has brought its result, one is `enough`, or `timeout` has passed. Results that have not come
  // are nullopt.
  std::vector<std::optional<Result>> Await(absl::Duration timeout, const std::function<bool(const Result&)>& enough) {
    const auto done = [this, &enough] {
      mutex_.AssertHeld();
      if (open_ == 0) return true;
      for (const std::optional<Result>& result : results_) {
        if (result.has_value() && enough(*result)) return true;
      }
      return false;
    };
    absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithTimeout(absl::Condition(&done), timeout);
    return results_;
  }

 private:
  absl::Mutex mutex_;
  std::vector<std::optional<Result>> results_ ABSL_GUARDED_BY(mutex_);
  size_t open_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_GATHERING_H_
