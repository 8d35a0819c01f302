// Collects what calls to several beacons bring, each on a thread of its own.
#ifndef LEAN_VALIDATOR_CLIENT_GATHERING_H_
#define LEAN_VALIDATOR_CLIENT_GATHERING_H_

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "absl/time/time.h"

namespace lean::validator {

// Thread-safe. Tasks hold it by shared_ptr: those that come too late put their results where nobody looks.
template <class Result>
class Gathering {
 public:
  // Of `size` calls to come.
  explicit Gathering(size_t size) : results_(size), open_(size) {}

  void Put(size_t i, Result result) {
    std::lock_guard lock(mutex_);
    results_[i] = std::move(result);
    --open_;
    changed_.notify_all();
  }

  // What has come; results that have not are nullopt.
  using Results = std::vector<std::optional<Result>>;

  // Waits until every call has brought its result, they are `enough`, or `timeout` has passed. May be called again.
  Results Await(absl::Duration timeout, const std::function<bool(const Results&)>& enough) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, absl::ToChronoNanoseconds(std::clamp(timeout, absl::ZeroDuration(), kLongest)),
                      [&] { return open_ == 0 || enough(results_); });
    return results_;
  }

 private:
  static constexpr absl::Duration kLongest = absl::Hours(24);  // no call takes so long, and no clock overflows

  // std::mutex, since the thread sanitizer does not see through Debian's Abseil.
  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  Results results_;
  size_t open_;
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_GATHERING_H_
