#include "common/crypto/xmss/message_lanes.h"

namespace lean::xmss {

void MessageLanes::Set(size_t lane, const FieldParameter& parameter, uint64_t slot,
                       const std::array<Fp, kMessageLen>& digits) {
  size_t row = randomness_len_;
  for (const Fp word : parameter) input_[row++].lane[lane] = word;
  for (const Fp word : MessageTweak(slot)) input_[row++].lane[lane] = word;
  for (const Fp word : digits) input_[row++].lane[lane] = word;
}

void MessageLanes::Compress() {
  state_ = input_;
  PermuteLanes(state_);
  for (size_t i = 0; i < kMessageHashLen; ++i) Add(state_[i], input_[i]);
}

std::array<uint32_t, kMessageHashLen> MessageLanes::Hash(size_t lane) const {
  std::array<uint32_t, kMessageHashLen> hash;
  for (size_t i = 0; i < kMessageHashLen; ++i) hash[i] = state_[i].lane[lane].canonical();
  return hash;
}

}  // namespace lean::xmss
