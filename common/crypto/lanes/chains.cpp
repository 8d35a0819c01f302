#include "common/crypto/lanes/chains.h"

#include <array>
#include <utility>

namespace lean::crypto::lanes {
namespace {

constexpr size_t kLengths = 8;  // a chain is walked 0 to 7 steps

// Where the jobs of each length begin, longest first.
std::array<size_t, kLengths + 1> BeginOfLengths(absl::Span<const ChainJob> jobs) {
  std::array<size_t, kLengths + 1> begin{};
  for (const ChainJob& job : jobs) ++begin[kLengths - (job.to - job.from)];
  for (size_t i = 1; i < begin.size(); ++i) begin[i] += begin[i - 1];
  return begin;
}

}  // namespace

void WalkChains(const Kernels& kernels, size_t hash_len, absl::Span<ChainJob> jobs) {
  const std::array<size_t, kLengths + 1> begin = BeginOfLengths(jobs);
  // Each job is swapped to the next place of its length, once.
  std::array<size_t, kLengths> next;
  for (size_t i = 0; i < kLengths; ++i) next[i] = begin[i];
  for (size_t length = 0; length < kLengths; ++length) {
    while (next[length] < begin[length + 1]) {
      ChainJob& job = jobs[next[length]];
      const auto home = static_cast<size_t>(kLengths - 1 - (job.to - job.from));
      if (home == length)
        ++next[length];
      else
        std::swap(job, jobs[next[home]++]);
    }
  }
  kernels.walk_chains(hash_len, jobs.data(), begin[kLengths - 1]);
}

}  // namespace lean::crypto::lanes
