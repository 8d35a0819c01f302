#include "common/crypto/lanes/kernels.h"

#include <array>
#include <utility>

namespace lean::crypto::lanes {
namespace {

constexpr size_t kLengths = 8;  // a chain is walked 0 to 7 steps

// Where the jobs of each length begin, longest first.
std::array<size_t, kLengths + 1> BeginOfLengths(const ChainJob* jobs, size_t count) {
  std::array<size_t, kLengths + 1> begin{};
  for (size_t i = 0; i < count; ++i) ++begin[kLengths - (jobs[i].to - jobs[i].from)];
  for (size_t i = 1; i < begin.size(); ++i) begin[i] += begin[i - 1];
  return begin;
}

}  // namespace

bool IsSupported(Isa isa) {
  switch (isa) {
    case Isa::kPortable:
      return true;
#ifdef __x86_64__
    case Isa::kAvx2:
      return __builtin_cpu_supports("avx2");
    case Isa::kAvx512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#endif
    default:
      return false;
  }
}

const Kernels& KernelsFor(Isa isa) {
#ifdef __x86_64__
  if (isa == Isa::kAvx2) return kAvx2Kernels;
  if (isa == Isa::kAvx512) return kAvx512Kernels;
#endif
  return kPortableKernels;
}

const Kernels& BestKernels() {
  if (IsSupported(Isa::kAvx512)) return KernelsFor(Isa::kAvx512);
  if (IsSupported(Isa::kAvx2)) return KernelsFor(Isa::kAvx2);
  return KernelsFor(Isa::kPortable);
}

void WalkChains(const Kernels& kernels, size_t hash_len, ChainJob* jobs, size_t count) {
  const std::array<size_t, kLengths + 1> begin = BeginOfLengths(jobs, count);
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
  kernels.walk_chains(hash_len, jobs, begin[kLengths - 1]);
}

}  // namespace lean::crypto::lanes
