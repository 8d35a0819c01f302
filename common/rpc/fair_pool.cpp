#include "common/rpc/fair_pool.h"

#include <algorithm>
#include <utility>

namespace lean::rpc {
namespace {

// What a call weighs beside its request.
constexpr size_t kCallBytes = 16 << 10;

}  // namespace

FairPool::FairPool(const PoolOptions& options)
    : waiting_({.values = options.waiting_calls, .weight = options.waiting_bytes + options.waiting_calls * kCallBytes}),
      others_most_(std::max<size_t>(options.threads, 2) - 1) {
  for (size_t i = 0; i < options.threads; ++i) threads_.emplace_back([this] { Run(); });
}

FairPool::~FairPool() { Stop(); }

void FairPool::Submit(const Caller& caller, Rank rank, Work work) {
  const size_t weight = work.bytes + kCallBytes;
  std::vector<std::pair<Rank, Work>> refused;
  {
    std::lock_guard lock(mutex_);
    if (stopped_) {
      refused.emplace_back(rank, std::move(work));
    } else {
      refused = waiting_.Push(static_cast<size_t>(rank), caller.host, caller.connection, weight,
                              std::pair(rank, std::move(work)));
    }
  }
  changed_.notify_one();
  for (auto& [its_rank, its_work] : refused) its_work.refuse();
}

void FairPool::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void FairPool::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return waiting_.Has(EndRank()) || (stopped_ && !waiting_.Has()); });
    std::optional<std::pair<Rank, Work>> next = waiting_.Pop(EndRank());
    if (!next.has_value()) return;
    const bool other = next->first != Rank::kGood;
    others_running_ += other ? 1 : 0;
    lock.unlock();
    next->second.run();
    next.reset();
    lock.lock();
    others_running_ -= other ? 1 : 0;
    if (other) changed_.notify_one();
  }
}

}  // namespace lean::rpc
