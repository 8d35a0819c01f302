#include "common/concurrency/worker_pool.h"

#include <optional>
#include <utility>

namespace lean {

WorkerPool::WorkerPool(size_t threads, size_t queue_capacity) : tasks_(queue_capacity) {
  threads_.reserve(threads);
  for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Run(); });
}

WorkerPool::~WorkerPool() { Stop(); }

void WorkerPool::Stop() {
  tasks_.Close();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void WorkerPool::Run() {
  while (std::optional<Task> task = tasks_.Pop()) (*task)();
}

}  // namespace lean
