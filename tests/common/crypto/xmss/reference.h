// XMSS's hash functions and PRF one value at a time, written for being read (leanSig f10dcbe: tweak_hash/poseidon.rs,
// prf/shake_to_field.rs): what the kernels must agree with.
#ifndef LEAN_TESTS_COMMON_CRYPTO_XMSS_REFERENCE_H_
#define LEAN_TESTS_COMMON_CRYPTO_XMSS_REFERENCE_H_

#include <array>
#include <cstdint>

#include "absl/types/span.h"
#include "common/bytes/bytes.h"
#include "common/crypto/field/koala_bear.h"
#include "common/crypto/xmss/prf_key.h"
#include "common/crypto/xmss/scheme.h"
#include "common/crypto/xmss/target_sum.h"
#include "common/crypto/xmss/words.h"

namespace lean::xmss {

using crypto::Fp;

using FieldNode = std::array<Fp, kMaxHashLen>;  // a Node in Montgomery form
using FieldParameter = std::array<Fp, kParameterLen>;
using Tweak = std::array<Fp, kTweakLen>;

inline constexpr size_t kLeafRate = 24 - kCapacityLen;  // words that the leaf's sponge absorbs at a time

// Two base-p digits, least significant first, of a number that no two uses share.
Tweak ChainTweak(uint64_t slot, uint64_t chain, uint64_t position);
Tweak TreeTweak(uint64_t level, uint64_t index);
Tweak MessageTweak(uint64_t slot);

// Nine base-p digits of the message, read as a little-endian number.
std::array<Fp, kMessageLen> MessageDigits(const Root& message);

// Words of the sponge's capacity before a leaf is absorbed; they depend on the scheme's hash length alone.
std::array<Fp, kCapacityLen> CapacityOf(size_t hash_len);

// Words must be canonical.
template <size_t kLen>
std::array<Fp, kLen> ToField(const std::array<uint32_t, kLen>& words) {
  std::array<Fp, kLen> field;
  for (size_t i = 0; i < kLen; ++i) field[i] = Fp::FromUint64(words[i]);
  return field;
}

template <size_t kLen>
std::array<uint32_t, kLen> ToCanonical(const std::array<Fp, kLen>& field) {
  std::array<uint32_t, kLen> words;
  for (size_t i = 0; i < kLen; ++i) words[i] = field[i].canonical();
  return words;
}

// The PRF: start of a chain, and randomness of the signer's try number `counter`.
Node ChainStart(const Scheme& scheme, const PrfKey& key, uint32_t slot, uint64_t chain);
Randomness RandomnessOf(const Scheme& scheme, const PrfKey& key, uint32_t slot, const Root& message, uint64_t counter);

class TweakHash {
 public:
  TweakHash(const Scheme& scheme, const Parameter& parameter)
      : hash_len_(scheme.hash_len()), randomness_len_(scheme.randomness_len()), parameter_(ToField(parameter)) {}

  // The value at `position` (1..7) of a chain from the one before it.
  FieldNode ChainStep(uint64_t slot, uint32_t chain, uint32_t position, const FieldNode& value) const;

  // The leaf of a slot from the ends of its 64 chains.
  FieldNode Leaf(uint64_t slot, const std::array<FieldNode, kDimension>& ends) const;

  // Node `index` of `level` (leaves are level 0) from its children.
  FieldNode Parent(uint32_t level, uint64_t index, const FieldNode& left, const FieldNode& right) const;

  // The hash that the target-sum encoding maps to chain positions.
  std::array<uint32_t, kMessageHashLen> MessageHash(uint64_t slot, const Root& message,
                                                    const Randomness& randomness) const;

  size_t hash_len() const { return hash_len_; }
  size_t randomness_len() const { return randomness_len_; }
  const FieldParameter& parameter() const { return parameter_; }

 private:
  size_t hash_len_;
  size_t randomness_len_;
  FieldParameter parameter_;
};

}  // namespace lean::xmss

#endif  // LEAN_TESTS_COMMON_CRYPTO_XMSS_REFERENCE_H_
