#include "common/crypto/xmss/bottom_tree_builder.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>

#include "common/crypto/xmss/leaf.h"

namespace lean::xmss {
namespace {

constexpr uint64_t kSliceLeaves = 64;  // a few milliseconds: how promptly progress is shown and obeyed

}  // namespace

BottomTreeBuilder::BottomTreeBuilder(const Scheme& scheme, PrfKey prf_key, const Parameter& parameter, uint64_t index)
    : scheme_(scheme),
      prf_key_(std::move(prf_key)),
      parameter_(parameter),
      index_(index),
      leaves_(scheme.bottom_leaves() * scheme.hash_len()) {}

void BottomTreeBuilder::ComputeLeaves(uint64_t begin, uint64_t end) {
  const size_t len = scheme_.hash_len();
  HashLeaves(scheme_, prf_key_, parameter_, static_cast<uint32_t>(index_ * scheme_.bottom_leaves() + begin),
             absl::MakeSpan(leaves_).subspan(begin * len, (end - begin) * len));
}

void BottomTreeBuilder::Step(uint64_t count) {
  if (done()) return;
  const uint64_t end = done_ + std::min(count, leaves_total() - done_);
  ComputeLeaves(done_, end);
  done_ = end;
  if (done()) BuildTree();
}

absl::Status BottomTreeBuilder::Finish(unsigned threads, const std::function<bool(uint64_t leaves_done)>& progress) {
  if (done()) return absl::OkStatus();
  const uint64_t begin = done_;
  std::atomic<uint64_t> next = begin;
  std::atomic<uint64_t> computed = 0;
  std::atomic<bool> stop = false;
  const auto compute_slice = [&] {
    const uint64_t slice = next.fetch_add(kSliceLeaves);
    if (stop || slice >= leaves_total()) return false;
    const uint64_t end = std::min(slice + kSliceLeaves, leaves_total());
    ComputeLeaves(slice, end);
    computed += end - slice;
    return true;
  };
  std::vector<std::thread> workers;
  for (unsigned i = 1; i < threads; ++i) {
    workers.emplace_back([&compute_slice] {
      while (compute_slice()) {
      }
    });
  }
  while (compute_slice()) {
    if (progress && computed < leaves_total() - begin && !progress(computed)) stop = true;
  }
  for (std::thread& worker : workers) worker.join();
  if (!stop && progress && !progress(computed)) stop = true;
  if (stop) return absl::CancelledError("cancelled");
  done_ = leaves_total();
  BuildTree();
  return absl::OkStatus();
}

void BottomTreeBuilder::BuildTree() { tree_ = BuildBottomTree(scheme_, parameter_, index_, std::move(leaves_)); }

Subtree BottomTreeBuilder::Take() && { return std::move(tree_); }

}  // namespace lean::xmss
