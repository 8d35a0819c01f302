#include "common/crypto/lanes/chains.h"

#include <algorithm>

namespace lean::crypto::lanes {

void WalkChains(const Kernels& kernels, size_t hash_len, absl::Span<ChainJob> jobs) {
  std::sort(jobs.begin(), jobs.end(),
            [](const ChainJob& a, const ChainJob& b) { return a.to - a.from > b.to - b.from; });
  const auto idle =
      std::partition_point(jobs.begin(), jobs.end(), [](const ChainJob& job) { return job.to > job.from; });
  kernels.walk_chains(hash_len, jobs.data(), static_cast<size_t>(idle - jobs.begin()));
}

}  // namespace lean::crypto::lanes
