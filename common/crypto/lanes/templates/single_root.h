// The leaf and path of one job, one permutation after the other.
#ifndef LEAN_COMMON_CRYPTO_LANES_TEMPLATES_SINGLE_ROOT_H_
#define LEAN_COMMON_CRYPTO_LANES_TEMPLATES_SINGLE_ROOT_H_

#include <cstddef>
#include <cstdint>

#include "common/crypto/lanes/kernels.h"
#include "common/crypto/lanes/templates/hashes.h"
#include "common/crypto/lanes/templates/single.h"

namespace lean::crypto::lanes {
namespace {

constexpr size_t kMaxHeight = 32;

LEAN_LANES_INLINE uint32_t AddWords(uint32_t a, uint32_t b) {
  const uint32_t sum = a + b;
  return sum >= kP ? sum - kP : sum;
}

// `count` words, a multiple of the lanes, in place.
template <typename Lane>
LEAN_LANES_INLINE void WordsToMontgomery(uint32_t* words, size_t count) {
  for (size_t i = 0; i < count; i += Lane::kLanes) {
    typename Lane::Vector vector;
    __builtin_memcpy(&vector, words + i, sizeof(vector));
    vector = ToMontgomery<Lane>(vector);
    __builtin_memcpy(words + i, &vector, sizeof(vector));
  }
}

template <typename Lane>
LEAN_LANES_INLINE void WordsFromMontgomery(uint32_t* words, size_t count) {
  for (size_t i = 0; i < count; i += Lane::kLanes) {
    typename Lane::Vector vector;
    __builtin_memcpy(&vector, words + i, sizeof(vector));
    vector = FromMontgomery<Lane>(vector);
    __builtin_memcpy(words + i, &vector, sizeof(vector));
  }
}

template <typename Lane, size_t kHashLen>
class SingleRoot {
 public:
  SingleRoot(const uint32_t* capacity, size_t height, const RootJob& job) : height_(height), slot_(job.slot) {
    __builtin_memcpy(words_.parameter, job.parameter, kParameterWords * sizeof(uint32_t));
    __builtin_memcpy(words_.capacity, capacity, kCapacityWords * sizeof(uint32_t));
    __builtin_memcpy(words_.ends, job.ends, sizeof(words_.ends));
    for (size_t i = 0; i < height * kNodeStride; ++i) words_.path[i] = job.path[i];
    for (size_t level = 0; level <= height; ++level) {
      const Digits tweak = TreeTweak(level, uint64_t{slot_} >> level);
      words_.tweaks[2 * level] = tweak.low;
      words_.tweaks[2 * level + 1] = tweak.high;
    }
    WordsToMontgomery<Lane>(reinterpret_cast<uint32_t*>(&words_), sizeof(words_) / sizeof(uint32_t));
  }

  void Compute(uint32_t* root) const {
    uint32_t node[kNodeStride] = {};
    HashLeaf(node);
    for (size_t level = 0; level < height_; ++level) HashParent(level, node);
    WordsFromMontgomery<Lane>(node, kNodeStride);
    for (size_t i = 0; i < kNodeStride; ++i) root[i] = i < kHashLen ? node[i] : 0;
  }

 private:
  // All that is hashed, in Montgomery form; each part ends at a vector's boundary.
  struct Words {
    uint32_t parameter[8];
    uint32_t capacity[16];
    uint32_t tweaks[72];
    uint32_t ends[kChains * kNodeStride];
    uint32_t path[kMaxHeight * kNodeStride];
  };
  static_assert(sizeof(Words::tweaks) >= 2 * (kMaxHeight + 1) * sizeof(uint32_t));

  void HashLeaf(uint32_t* leaf) const {
    uint32_t state[kSpongeWidth] = {};
    for (size_t i = 0; i < kParameterWords; ++i) state[i] = words_.parameter[i];
    state[kParameterWords] = words_.tweaks[0];
    state[kParameterWords + 1] = words_.tweaks[1];
    for (size_t i = 0; i < kCapacityWords; ++i) state[kSpongeRate + i] = words_.capacity[i];
    size_t position = kPrefixWords;
    for (size_t chain = 0; chain < kChains; ++chain) {
      for (size_t i = 0; i < kHashLen; ++i) {
        state[position] = AddWords(state[position], words_.ends[chain * kNodeStride + i]);
        if (++position < kSpongeRate) continue;
        SinglePermutation<Lane, kSpongeWidth>::Permute(state);
        position = 0;
      }
    }
    if (position != 0) SinglePermutation<Lane, kSpongeWidth>::Permute(state);
    for (size_t i = 0; i < kHashLen; ++i) leaf[i] = state[i];
  }

  void HashParent(size_t level, uint32_t* node) const {
    uint32_t input[kSpongeWidth] = {}, state[kSpongeWidth];
    for (size_t i = 0; i < kParameterWords; ++i) input[i] = words_.parameter[i];
    input[kParameterWords] = words_.tweaks[2 * level + 2];
    input[kParameterWords + 1] = words_.tweaks[2 * level + 3];
    const bool is_right = (slot_ >> level) & 1;
    uint32_t* own = input + kPrefixWords + (is_right ? kHashLen : 0);
    uint32_t* other = input + kPrefixWords + (is_right ? 0 : kHashLen);
    for (size_t i = 0; i < kHashLen; ++i) {
      own[i] = node[i];
      other[i] = words_.path[level * kNodeStride + i];
    }
    __builtin_memcpy(state, input, sizeof(state));
    SinglePermutation<Lane, kSpongeWidth>::Permute(state);
    for (size_t i = 0; i < kHashLen; ++i) node[i] = AddWords(state[i], input[i]);
  }

  Words words_ = {};
  size_t height_;
  uint32_t slot_;
};

}  // namespace
}  // namespace lean::crypto::lanes

#endif  // LEAN_COMMON_CRYPTO_LANES_TEMPLATES_SINGLE_ROOT_H_
