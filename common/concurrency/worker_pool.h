// Threads for short, independent pieces of work. Written here because the pools of the libraries in use have unbounded
// queues.
#ifndef LEAN_COMMON_CONCURRENCY_WORKER_POOL_H_
#define LEAN_COMMON_CONCURRENCY_WORKER_POOL_H_

#include <cstddef>
#include <functional>
#include <thread>
#include <vector>

#include "common/concurrency/bounded_channel.h"

namespace lean {

// A fixed number of threads on one bounded queue. Thread-safe. Tasks must not throw; they may submit further tasks but
// must not wait for them.
class WorkerPool {
 public:
  using Task = std::function<void()>;

  // threads: at least 1.
  WorkerPool(size_t threads, size_t queue_capacity);
  // As Stop().
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Never waits. kFull or kClosed: the task is left with the caller and will not run.
  PushResult TrySubmit(Task&& task) { return tasks_.TryPush(std::move(task)); }

  // The same, but runs the task on this thread when it is not taken.
  void SubmitOrRun(Task task) {
    // NOLINTNEXTLINE(bugprone-use-after-move): what is not taken is not moved from
    if (TrySubmit(std::move(task)) != PushResult::kPushed) task();
  }

  // Takes no more tasks, runs those it has and joins the threads. May be called again, but not from a task, nor from
  // two threads at a time.
  void Stop();

  size_t queued() const { return tasks_.size(); }

 private:
  void Run();

  BoundedChannel<Task> tasks_;
  std::vector<std::thread> threads_;
};

}  // namespace lean

#endif  // LEAN_COMMON_CONCURRENCY_WORKER_POOL_H_
