#include "common/rpc/server/fair_pool.h"

#include <algorithm>
#include <utility>

#include "common/concurrency/thread_priority.h"

namespace lean::rpc {
namespace {

// Weight of a call in addition to its request, in bytes.
constexpr size_t kCallBytes = 16 << 10;

}  // namespace

FairPool::FairPool(const PoolOptions& options)
    : waiting_({.values = options.waiting_calls, .weight = options.waiting_bytes + options.waiting_calls * kCallBytes}),
      others_most_(std::max<size_t>(options.threads, 2) - 1) {
  for (size_t i = 0; i < options.threads; ++i) threads_.emplace_back([this, nice = options.nice] { Run(nice); });
}

FairPool::~FairPool() { Stop(); }

void FairPool::Submit(const Caller& caller, Rank rank, Work work) {
  const size_t weight = work.bytes + kCallBytes;
  std::vector<std::pair<Rank, Work>> refused;
  {
    MutexLock lock(mutex_);
    if (stopped_) {
      refused.emplace_back(rank, std::move(work));
    } else {
      refused = waiting_.Push(static_cast<size_t>(rank), caller.host, caller.connection, weight,
                              std::pair(rank, std::move(work)));
    }
  }
  changed_.NotifyOne();
  for (auto& [its_rank, its_work] : refused) its_work.refuse();
}

void FairPool::Stop() {
  {
    MutexLock lock(mutex_);
    stopped_ = true;
  }
  changed_.NotifyAll();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

metrics::Footprint FairPool::queue(std::string name) const {
  MutexLock lock(mutex_);
  return {.name = std::move(name), .items = waiting_.size(), .bytes = waiting_.weight()};
}

void FairPool::Run(int nice) {
  LowerThreadPriority(nice);
  MutexLock lock(mutex_);
  while (true) {
    changed_.Wait(mutex_, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return waiting_.Has(EndRank()) || (stopped_ && !waiting_.Has());
    });
    std::optional<std::pair<Rank, Work>> next = waiting_.Pop(EndRank());
    if (!next.has_value()) return;
    const bool other = next->first != Rank::kGood;
    others_running_ += other ? 1 : 0;
    lock.Unlock();
    next->second.run();
    next.reset();
    lock.Lock();
    others_running_ -= other ? 1 : 0;
    if (other) changed_.NotifyOne();
  }
}

}  // namespace lean::rpc
