// Threads for calls to several beacons at once, kept apart so that a hung beacon holds up no other.
#ifndef LEAN_VALIDATOR_CLIENT_BEACON_LANES_H_
#define LEAN_VALIDATOR_CLIENT_BEACON_LANES_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "common/concurrency/worker_pool.h"

namespace lean::validator {

// Thread-safe. Its end waits for the calls under way: cancel the clients first.
class BeaconLanes {
 public:
  explicit BeaconLanes(size_t beacons) {
    for (size_t i = 0; i < beacons; ++i) lanes_.push_back(std::make_unique<WorkerPool>(kThreads, kThreads));
  }

  // Never waits. False: too much is under way with this beacon, the task will not run.
  bool Run(size_t beacon, std::function<void()> task) {
    return lanes_[beacon]->TrySubmit(std::move(task)) == PushResult::kPushed;
  }

 private:
  // A hung beacon may hold one block, one batch of votes, one probe and one question about liveness: each ends before
  // the next of its kind begins.
  static constexpr size_t kThreads = 4;

  std::vector<std::unique_ptr<WorkerPool>> lanes_;
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_BEACON_LANES_H_
