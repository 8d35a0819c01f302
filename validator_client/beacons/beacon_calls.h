// Calls to several beacons at once: the threads that make them, their results and their errors.
#ifndef LEAN_VALIDATOR_CLIENT_BEACONS_BEACON_CALLS_H_
#define LEAN_VALIDATOR_CLIENT_BEACONS_BEACON_CALLS_H_

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "common/concurrency/mutex.h"
#include "common/concurrency/worker_pool.h"
#include "common/metrics/footprint.h"
#include "validator_client/beacons/beacon_session.h"

namespace lean::validator {

// Has separate threads for each beacon, so that a beacon that hangs does not delay calls to the others. Thread-safe.
// The destructor waits for the calls in progress: cancel the clients first.
class BeaconLanes {
 public:
  explicit BeaconLanes(size_t beacons) {
    for (size_t i = 0; i < beacons; ++i) lanes_.push_back(std::make_unique<WorkerPool>(kThreads, kThreads));
  }

  // Does not block. False: this beacon has too many calls in progress; the task does not run.
  bool Run(size_t beacon, std::function<void()> task) {
    return lanes_[beacon]->TrySubmit(std::move(task)) == PushResult::kPushed;
  }

  // Of the tasks that wait for a thread.
  metrics::Footprint queue() const {
    metrics::Footprint all{.name = "beacon_calls", .items = 0, .bytes = 0};
    for (const auto& lane : lanes_) {
      all.items += lane->queued();
      all.bytes += lane->queued_bytes();
    }
    return all;
  }

 private:
  // A beacon that hangs holds at most one block, one batch of votes, one probe and one liveness query: each of them
  // ends before the next of its kind starts.
  static constexpr size_t kThreads = 4;

  std::vector<std::unique_ptr<WorkerPool>> lanes_;
};

// Collects the results of calls, each on a thread of its own. Thread-safe. Tasks hold it by shared_ptr: those that come
// too late put their results where nobody looks.
template <class Result>
class Gathering {
 public:
  // Expects the results of `size` calls.
  explicit Gathering(size_t size) : results_(size), open_(size) {}

  void Put(size_t i, Result result) {
    MutexLock lock(mutex_);
    results_[i] = std::move(result);
    --open_;
    changed_.NotifyAll();
  }

  // The results so far; nullopt where a call has not ended.
  using Results = std::vector<std::optional<Result>>;

  // Waits until all calls have ended, until `enough` returns true, or for `timeout`. May be called repeatedly.
  Results Await(absl::Duration timeout, const std::function<bool(const Results&)>& enough) {
    MutexLock lock(mutex_);
    changed_.WaitFor(mutex_, absl::ToChronoNanoseconds(std::clamp(timeout, absl::ZeroDuration(), kLongest)),
                     [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return open_ == 0 || enough(results_); });
    return results_;
  }

 private:
  static constexpr absl::Duration kLongest =
      absl::Hours(24);  // longer than any call, short enough for the clock not to overflow

  Mutex mutex_;
  CondVar changed_;
  Results results_ ABSL_GUARDED_BY(mutex_);
  size_t open_ ABSL_GUARDED_BY(mutex_);
};

// The error of a beacon for which no thread is free.
inline absl::Status BeaconIsBusy() { return absl::UnavailableError("it has not answered earlier calls yet"); }

// The errors of the beacons that were tried, as one.
class BeaconErrors {
 public:
  void Add(const BeaconSession& beacon, const absl::Status& status) {
    if (texts_.empty()) first_ = status;
    texts_.push_back(absl::StrCat(beacon.client().name(), ": ", status.message()));
  }

  // The error of a single beacon unchanged; the errors of several beacons with their names. `none` if there are none.
  absl::Status Together(absl::Status none) const {
    if (texts_.empty()) return none;
    if (texts_.size() == 1) return first_;
    return absl::Status(first_.code(), absl::StrJoin(texts_, "; "));
  }

 private:
  absl::Status first_;
  std::vector<std::string> texts_;
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_BEACONS_BEACON_CALLS_H_
