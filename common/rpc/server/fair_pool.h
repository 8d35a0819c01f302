// Threads that run the calls of a server, shared fairly among its callers.
#ifndef LEAN_COMMON_RPC_SERVER_FAIR_POOL_H_
#define LEAN_COMMON_RPC_SERVER_FAIR_POOL_H_

#include <cstddef>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "common/concurrency/fair_queue.h"
#include "common/concurrency/mutex.h"
#include "common/metrics/footprint.h"
#include "common/rpc/server/unary_call.h"

namespace lean::rpc {

struct PoolOptions {
  size_t threads = 1;
  size_t waiting_calls = 64;                // for a thread
  size_t waiting_bytes = size_t{64} << 20;  // of their requests
  int nice = 0;                             // of the threads, see setpriority(2)
};

// Calls wait in a FairQueue by rank, host and connection. A call that the queue displaces is refused. If there are at
// least two threads, one never serves callers that are not known to be good. Thread-safe.
class FairPool {
 public:
  explicit FairPool(const PoolOptions& options);
  // Like Stop().
  ~FairPool();
  FairPool(const FairPool&) = delete;
  FairPool& operator=(const FairPool&) = delete;

  // Does not block. Calls work.run on a thread of the pool, or work.refuse, possibly before it returns.
  void Submit(const Caller& caller, Rank rank, Work work);

  // Accepts no more work, runs what is queued and joins the threads. May be called again, but not from work and not
  // from two threads at a time.
  void Stop();

  // Of the calls that wait for a thread. `name`: of the footprint.
  metrics::Footprint queue(std::string name) const;

 private:
  void Run(int nice);
  // The number of ranks that a free thread may serve now.
  size_t EndRank() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return others_running_ < others_most_ ? kRanks : 1; }

  mutable Mutex mutex_;
  CondVar changed_;
  FairQueue<std::pair<Rank, Work>, kRanks> waiting_ ABSL_GUARDED_BY(mutex_);
  size_t others_running_ ABSL_GUARDED_BY(mutex_) = 0;  // calls of callers that are not known to be good
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  const size_t others_most_;
  std::vector<std::thread> threads_;
};

}  // namespace lean::rpc

#endif  // LEAN_COMMON_RPC_SERVER_FAIR_POOL_H_
