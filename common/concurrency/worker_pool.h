// Threads for short, independent pieces of work. Written here because the pools of the libraries in use have unbounded
// queues.
#ifndef LEAN_COMMON_CONCURRENCY_WORKER_POOL_H_
#define LEAN_COMMON_CONCURRENCY_WORKER_POOL_H_

#include <cstddef>
#include <functional>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "common/concurrency/bounded_channel.h"

namespace lean {

// A fixed number of threads with one bounded queue. Thread-safe. Tasks must not throw. They may submit more tasks but
// must not wait for them. Without threads, the owner runs the tasks (RunOne), as a simulation does.
class WorkerPool {
 public:
  using Task = std::function<void()>;

  WorkerPool(size_t threads, size_t queue_capacity) : tasks_(queue_capacity) {
    threads_.reserve(threads);
    for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Run(); });
  }
  // Like Stop().
  ~WorkerPool() { Stop(); }
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Does not block. kFull or kClosed: the caller keeps the task, and it will not run.
  PushResult TrySubmit(Task&& task) { return tasks_.TryPush(std::move(task)); }

  // The same, but runs the task on this thread if the pool does not accept it.
  void SubmitOrRun(Task task) {
    // NOLINTNEXTLINE(bugprone-use-after-move): what is not taken is not moved from
    if (TrySubmit(std::move(task)) != PushResult::kPushed) task();
  }

  // Runs the next task on this thread. False: none is queued.
  bool RunOne() {
    const std::optional<Task> task = tasks_.TryPop();
    if (task.has_value()) (*task)();
    return task.has_value();
  }

  // Accepts no more tasks, runs those in the queue and joins the threads. May be called again, but not from a task and
  // not from two threads at a time.
  void Stop() {
    tasks_.Close();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    while (RunOne()) {
    }
  }

  size_t queued() const { return tasks_.size(); }
  // Their bytes, without what they refer to.
  size_t queued_bytes() const { return queued() * sizeof(Task); }

 private:
  void Run() {
    while (std::optional<Task> task = tasks_.Pop()) (*task)();
  }

  BoundedChannel<Task> tasks_;
  std::vector<std::thread> threads_;
};

}  // namespace lean

#endif  // LEAN_COMMON_CONCURRENCY_WORKER_POOL_H_
