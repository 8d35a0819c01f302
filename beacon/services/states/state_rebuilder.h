// Gets states that the chain has let go of, one at a time, on a thread of its own.
#ifndef LEAN_BEACON_SERVICES_STATES_STATE_REBUILDER_H_
#define LEAN_BEACON_SERVICES_STATES_STATE_REBUILDER_H_

#include <array>
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
#include "beacon/services/states/state_source.h"
#include "common/bytes/bytes.h"
#include "common/clock/clock.h"
#include "common/concurrency/mutex.h"
#include "common/log/logger.h"

namespace lean::beacon {

// Who needs a state. They are bounded apart, so that none of them keeps the others waiting.
struct StateAsker {
  enum Kind : uint8_t {
    kChain,   // the chain itself, for its head: first of all
    kPeer,    // a block that builds on an old one
    kCaller,  // a question by RPC
  };
  Kind kind = kChain;
  uint64_t peer = 0;  // of kPeer: whose block it is
};

struct StateRebuilderOptions {
  size_t max_of_a_kind = 32;  // states wanted at once by each kind of asker
  size_t max_of_a_peer = 4;   // of these for one peer
  // After a state for a peer's block the thread rests for this many times as long as it took, unless somebody else
  // waits: whoever sends blocks on old ones gets this part of one core and no more.
  uint64_t rest = 1;
  size_t cached = 4;  // states kept for whoever asks for them again
};

// Each state costs at most what its source replays, in time and in memory. Thread-safe, except for Start and Stop.
class StateRebuilder {
 public:
  using BranchOf = std::function<std::optional<Branch>(const Root&)>;
  using Done = std::function<void(const absl::StatusOr<StatePtr>&)>;

  // `source` and `clock` outlive it. `branch_of` is asked on the thread.
  StateRebuilder(const StateSource& source, BranchOf branch_of, Clock& clock, std::shared_ptr<spdlog::logger> log,
                 const StateRebuilderOptions& options);
  // As Stop().
  ~StateRebuilder();
  StateRebuilder(const StateRebuilder&) = delete;
  StateRebuilder& operator=(const StateRebuilder&) = delete;

  void Start();
  // What is still wanted is answered kUnavailable, and so is what is asked for later. May be called again.
  void Stop();

  // Never waits. `done` is called exactly once, on the thread, or at once when it is refused. Errors as of StateSource;
  // kResourceExhausted: too many are wanted already; kUnavailable: it has stopped.
  void Request(const Root& root, const StateAsker& asker, Done done);

 private:
  static constexpr size_t kKinds = 3;
  struct Wanted {
    Root root;
    StateAsker asker;
    std::vector<Done> done;
  };

  void Run();
  // The next one to work on; nullopt: the service stops.
  std::optional<Wanted> Next();
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

  Mutex mutex_;
  CondVar changed_;
  Wake rest_over_;
  std::array<std::deque<Wanted>, kKinds> wanted_ ABSL_GUARDED_BY(mutex_);
  size_t last_kind_ ABSL_GUARDED_BY(mutex_) = StateAsker::kCaller;  // peers and callers take turns
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SERVICES_STATES_STATE_REBUILDER_H_
