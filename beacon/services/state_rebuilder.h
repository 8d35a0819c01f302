// Restores post-states that the chain has dropped from memory, one at a time, on its own thread.
#ifndef LEAN_BEACON_SERVICES_STATE_REBUILDER_H_
#define LEAN_BEACON_SERVICES_STATE_REBUILDER_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "beacon/chain/branch.h"
#include "beacon/chain/chain_types.h"
#include "common/bytes/bytes.h"
#include "common/clock/clock.h"
#include "common/concurrency/mutex.h"
#include "common/log/logger.h"
#include "common/metrics/footprint.h"

namespace lean::beacon {

// Where dropped post-states come from. Thread-safe. A call reads from the disk and computes the transition of some tens
// of blocks.
class StateSource {
 public:
  virtual ~StateSource() = default;

  // The post-state of the branch's block. kNotFound: no older state is held, or only one too far below.
  virtual absl::StatusOr<StatePtr> Rebuild(const Branch& branch) const = 0;
};

// Who needs a state. Each kind has its own bound, so that no kind delays the others.
struct StateAsker {
  enum Kind : uint8_t {
    kChain,   // the chain itself, for its head: served first
    kPeer,    // a block that builds on an old one
    kCaller,  // an RPC
  };
  Kind kind = kChain;
  uint64_t peer = 0;  // with kPeer: the sender of the block
};

struct StateRebuilderOptions {
  size_t max_of_a_kind = 32;  // states requested at once by each kind
  size_t max_of_a_peer = 4;   // of these by one peer
  // After a state for a peer's block the thread pauses for this many times as long as the state took, unless another
  // kind waits. So peers' blocks on old states use at most this share of one core.
  uint64_t rest = 1;
  size_t cached = 4;  // most recent states that are kept
};

// Thread-safe, except for Start and Stop.
class StateRebuilder {
 public:
  using BranchOf = std::function<std::optional<Branch>(const Root&)>;
  using Done = std::function<void(const absl::StatusOr<StatePtr>&)>;

  // `source` and `clock` outlive it. `branch_of` is asked on the thread that restores.
  StateRebuilder(const StateSource& source, BranchOf branch_of, Clock& clock, std::shared_ptr<spdlog::logger> log,
                 const StateRebuilderOptions& options);
  // As Stop().
  ~StateRebuilder();
  StateRebuilder(const StateRebuilder&) = delete;
  StateRebuilder& operator=(const StateRebuilder&) = delete;

  void Start();
  // For one thread that does everything, such as a simulation's, instead of Start: restores the next state without a
  // pause. False: none is requested.
  bool RunOne();
  // Answers open and later requests with kUnavailable. May be called again.
  void Stop();

  // Does not block. `done` is called exactly once: on the rebuilder's thread, or before the call returns when the
  // request is refused. Errors as of StateSource; kResourceExhausted: too many open requests; kUnavailable: stopped.
  void Request(const Root& root, const StateAsker& asker, Done done);

  // Of the open requests, and of the states that are kept. Thread-safe.
  metrics::Footprint queue() const;
  metrics::Footprint cache() const;

 private:
  static constexpr size_t kKinds = 3;
  struct Wanted {
    Root root;
    StateAsker asker;
    std::vector<Done> done;
  };

  void Run();
  // The next state to restore; nullopt: the service stops.
  std::optional<Wanted> Next();
  // The same without waiting; nullopt: none is requested.
  std::optional<Wanted> TakeNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Answer(const Wanted& wanted);
  absl::StatusOr<StatePtr> Rebuild(const Wanted& wanted);
  void Rest(std::chrono::nanoseconds time);
  bool HasWork() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // What does not wait for a rest to end.
  bool HasUrgentWork() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return stopping_ || !wanted_[StateAsker::kChain].empty() || !wanted_[StateAsker::kCaller].empty();
  }

  const StateSource& source_;
  const BranchOf branch_of_;
  Clock& clock_;
  const std::shared_ptr<spdlog::logger> log_;
  const StateRebuilderOptions options_;
  std::deque<std::pair<Root, StatePtr>> cache_;  // the thread's own, newest last
  std::atomic<size_t> cached_ = 0;               // what it holds
  std::atomic<size_t> cached_bytes_ = 0;

  mutable Mutex mutex_;
  CondVar changed_;
  Wake rest_over_;
  std::array<std::deque<Wanted>, kKinds> wanted_ ABSL_GUARDED_BY(mutex_);
  size_t last_kind_ ABSL_GUARDED_BY(mutex_) = StateAsker::kCaller;  // peers and callers take turns
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SERVICES_STATE_REBUILDER_H_
