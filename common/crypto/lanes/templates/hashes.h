// XMSS's hash functions over lanes; all words in Montgomery form. See tests/common/crypto/lanes/reference.h for the
// same, one value at a time.
#ifndef LEAN_COMMON_CRYPTO_LANES_TEMPLATES_HASHES_H_
#define LEAN_COMMON_CRYPTO_LANES_TEMPLATES_HASHES_H_

#include <cstddef>
#include <cstdint>

#include "common/crypto/lanes/kernels.h"
#include "common/crypto/lanes/templates/permutation.h"

namespace lean::crypto::lanes {
namespace {

constexpr size_t kTweakWords = 2;
constexpr size_t kPrefixWords = kParameterWords + kTweakWords;
constexpr size_t kSpongeWidth = 24;
constexpr size_t kSpongeRate = kSpongeWidth - kCapacityWords;

// A number below p^2 in two base-p digits, canonical.
struct Digits {
  uint32_t low;
  uint32_t high;
};
constexpr Digits DigitsOf(uint64_t number) {
  return {static_cast<uint32_t>(number % kP), static_cast<uint32_t>(number / kP)};
}
constexpr Digits ChainTweakBase(uint32_t slot) { return DigitsOf(uint64_t{slot} << 24); }
constexpr Digits TreeTweak(uint64_t level, uint64_t index) { return DigitsOf(level << 40 | index << 8 | 1); }

template <typename Lane>
struct TweakVector {
  typename Lane::Vector low, high;
};

// The tweak base + (chain << 16 | position << 8): the sum is below 2p, so that at most one carries over.
template <typename Lane>
LEAN_LANES_INLINE TweakVector<Lane> ChainTweak(const TweakVector<Lane>& base, typename Lane::Vector offset) {
  using Vector = typename Lane::Vector;
  const Vector sum = base.low + offset;
  const Vector low = Lane::Min(sum, sum - kP);
  const Vector high = base.high - reinterpret_cast<Vector>(low != sum);
  return {ToMontgomery<Lane>(low), ToMontgomery<Lane>(high)};
}

// First kOutput words of permute(input) + input.
template <typename Lane, size_t kOutput, size_t kWidth>
LEAN_LANES_INLINE void Compress(const typename Lane::Vector (&input)[kWidth], typename Lane::Vector* output) {
  typename Lane::Vector state[kWidth];
  for (size_t i = 0; i < kWidth; ++i) state[i] = input[i];
  Permute<Lane, kWidth>(state);
  for (size_t i = 0; i < kOutput; ++i) output[i] = Add<Lane>(state[i], input[i]);
}

template <typename Lane, size_t kHashLen>
LEAN_LANES_INLINE void ChainStep(const typename Lane::Vector (&parameter)[kParameterWords],
                                 const TweakVector<Lane>& tweak, const typename Lane::Vector (&value)[kHashLen],
                                 typename Lane::Vector (&next)[kHashLen]) {
  typename Lane::Vector input[16] = {};
  for (size_t i = 0; i < kParameterWords; ++i) input[i] = parameter[i];
  input[kParameterWords] = tweak.low;
  input[kParameterWords + 1] = tweak.high;
  for (size_t i = 0; i < kHashLen; ++i) input[kPrefixWords + i] = value[i];
  Compress<Lane, kHashLen>(input, next);
}

template <typename Lane, size_t kHashLen>
LEAN_LANES_INLINE void Parent(const typename Lane::Vector (&parameter)[kParameterWords], const TweakVector<Lane>& tweak,
                              const typename Lane::Vector (&left)[kHashLen],
                              const typename Lane::Vector (&right)[kHashLen],
                              typename Lane::Vector (&parent)[kHashLen]) {
  typename Lane::Vector input[24] = {};
  for (size_t i = 0; i < kParameterWords; ++i) input[i] = parameter[i];
  input[kParameterWords] = tweak.low;
  input[kParameterWords + 1] = tweak.high;
  for (size_t i = 0; i < kHashLen; ++i) {
    input[kPrefixWords + i] = left[i];
    input[kPrefixWords + kHashLen + i] = right[i];
  }
  Compress<Lane, kHashLen>(input, parent);
}

// The sponge of a leaf: parameter, tweak and chain ends are absorbed word by word.
template <typename Lane>
class LeafSponge {
 public:
  using Vector = typename Lane::Vector;

  LeafSponge(const uint32_t* capacity, const Vector (&parameter)[kParameterWords], const TweakVector<Lane>& tweak) {
    for (size_t i = 0; i < kCapacityWords; ++i) {
      state_[kSpongeRate + i] = ToMontgomery<Lane>(Broadcast<Lane>(capacity[i]));
    }
    for (size_t i = 0; i < kParameterWords; ++i) state_[i] = parameter[i];
    state_[kParameterWords] = tweak.low;
    state_[kParameterWords + 1] = tweak.high;
    position_ = kPrefixWords;
  }
  void Absorb(const Vector* words, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      state_[position_] = Add<Lane>(state_[position_], words[i]);
      if (++position_ < kSpongeRate) continue;
      Permute<Lane, kSpongeWidth>(state_);
      position_ = 0;
    }
  }
  // The leaf is in the first words.
  const Vector* Finish() {
    if (position_ != 0) Permute<Lane, kSpongeWidth>(state_);
    return state_;
  }

 private:
  Vector state_[kSpongeWidth] = {};
  size_t position_;
};

}  // namespace
}  // namespace lean::crypto::lanes

#endif  // LEAN_COMMON_CRYPTO_LANES_TEMPLATES_HASHES_H_
