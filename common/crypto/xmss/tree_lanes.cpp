#include "common/crypto/xmss/tree_lanes.h"

#include <algorithm>

namespace lean::xmss {

LeafLanes::LeafLanes(size_t hash_len) {
  const std::array<Fp, kCapacityLen> capacity = LeafCapacity(hash_len);
  for (size_t i = 0; i < kCapacityLen; ++i) Fill(state_[kLeafRate + i], capacity[i]);
}

void LeafLanes::Start(size_t lane, const FieldParameter& parameter, uint64_t slot) {
  for (size_t i = 0; i < kParameterLen; ++i) state_[i].lane[lane] = parameter[i];
  const Tweak tweak = TreeTweak(0, slot);
  for (size_t i = 0; i < kTweakLen; ++i) state_[kParameterLen + i].lane[lane] = tweak[i];
}

void LeafLanes::Absorb(const Row& row) {
  Add(state_[position_], row);
  if (++position_ < kLeafRate) return;
  PermuteLanes(state_);
  position_ = 0;
}

const Block<24>& LeafLanes::Finish() {
  if (position_ != 0) PermuteLanes(state_);
  position_ = 0;
  return state_;
}

void ParentLanes::SetParameter(size_t lane, const FieldParameter& parameter) {
  for (size_t i = 0; i < kParameterLen; ++i) input_[i].lane[lane] = parameter[i];
}

void ParentLanes::SetPlace(size_t lane, uint32_t level, uint64_t index) {
  const Tweak tweak = TreeTweak(level, index);
  for (size_t i = 0; i < kTweakLen; ++i) input_[kParameterLen + i].lane[lane] = tweak[i];
}

void ParentLanes::Compress() {
  Block<24> state = input_;
  PermuteLanes(state);
  for (size_t i = 0; i < hash_len_; ++i) Add(state[i], input_[i]);
  std::copy_n(state.begin(), hash_len_, &left(0));
}

}  // namespace lean::xmss
