#include "common/crypto/xmss/chain_lanes.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <numeric>

namespace lean::xmss {
namespace {

// The tasks in order of falling length, without those of length 0.
std::vector<const ChainTask*> LongestFirst(absl::Span<const ChainTask> tasks) {
  std::array<size_t, kBase + 1> begin{};  // of each length's place, by kChainEnd - steps
  for (const ChainTask& task : tasks) ++begin[kBase - task.steps];
  std::partial_sum(begin.begin(), begin.end(), begin.begin());
  std::vector<const ChainTask*> sorted(begin[kBase - 1]);
  for (const ChainTask& task : tasks) {
    if (task.steps != 0) sorted[begin[kChainEnd - task.steps]++] = &task;
  }
  return sorted;
}

}  // namespace

ChainLanes::ChainLanes(size_t hash_len) : hash_len_(hash_len) {}

ChainLanes::~ChainLanes() { OPENSSL_cleanse(&input_, sizeof(input_)); }

void ChainLanes::SetPlace(size_t lane, const FieldParameter& parameter, uint64_t slot, uint32_t chain,
                          uint32_t position) {
  for (size_t i = 0; i < kParameterLen; ++i) input_[i].lane[lane] = parameter[i];
  const Tweak tweak = ChainTweak(slot, chain, position);
  for (size_t i = 0; i < kTweakLen; ++i) input_[kParameterLen + i].lane[lane] = tweak[i];
  low_[lane] = tweak[0].canonical();
}

void ChainLanes::AdvanceTweaks(uint32_t stride) {
  const Fp low_stride = Fp::FromUint64(stride);
  constexpr Fp kOne = Fp::FromUint64(1);
  Row& low = input_[kParameterLen];
  Row& high = input_[kParameterLen + 1];
  Add(low, low_stride);
  for (size_t i = 0; i < kLanes; ++i) {
    low_[i] += stride;
    const bool carries = low_[i] >= Fp::kModulus;
    low_[i] -= carries ? Fp::kModulus : 0;
    high.lane[i] += carries ? kOne : Fp();
  }
}

void ChainLanes::Step() {
  AdvanceTweaks(kPositionStride);
  Block<16> state = input_;
  PermuteLanes(state);
  for (size_t i = 0; i < hash_len_; ++i) Add(state[i], input_[i]);
  std::copy_n(state.begin(), hash_len_, &value(0));
}

void WalkChains(size_t hash_len, absl::Span<const ChainTask> tasks) {
  const std::vector<const ChainTask*> sorted = LongestFirst(tasks);
  struct LaneWork {
    const ChainTask* task = nullptr;
    uint32_t steps_left = 0;
  };
  std::array<LaneWork, kLanes> work;
  ChainLanes lanes(hash_len);
  size_t next = 0;
  while (true) {
    uint32_t steps = 0;  // that every busy lane can go
    for (size_t i = 0; i < kLanes; ++i) {
      if (work[i].steps_left == 0 && next < sorted.size()) {
        const ChainTask& task = *sorted[next++];
        work[i] = {.task = &task, .steps_left = task.steps};
        lanes.SetPlace(i, *task.parameter, task.slot, task.chain, task.position);
        for (size_t j = 0; j < hash_len; ++j) lanes.value(j).lane[i] = task.value[j * kLanes];
      }
      if (work[i].steps_left != 0) steps = steps == 0 ? work[i].steps_left : std::min(steps, work[i].steps_left);
    }
    if (steps == 0) return;
    for (uint32_t i = 0; i < steps; ++i) lanes.Step();
    for (size_t i = 0; i < kLanes; ++i) {
      if (work[i].steps_left == 0) continue;
      work[i].steps_left -= steps;
      if (work[i].steps_left != 0) continue;
      for (size_t j = 0; j < hash_len; ++j) work[i].task->value[j * kLanes] = lanes.value(j).lane[i];
    }
  }
}

}  // namespace lean::xmss
