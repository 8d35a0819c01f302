// Leaves and inner nodes of trees in lanes.
#ifndef LEAN_COMMON_CRYPTO_XMSS_TREE_LANES_H_
#define LEAN_COMMON_CRYPTO_XMSS_TREE_LANES_H_

#include <array>
#include <cstdint>

#include "absl/types/span.h"
#include "common/crypto/xmss/lanes.h"
#include "common/crypto/xmss/scheme.h"
#include "common/crypto/xmss/tweak_hash.h"

namespace lean::xmss {

// The sponges that hash the chain ends of kLanes leaves.
class LeafLanes {
 public:
  explicit LeafLanes(size_t hash_len);

  // Starts a lane with its parameter and slot; every lane is started before anything is absorbed.
  void Start(size_t lane, const FieldParameter& parameter, uint64_t slot);

  // Absorbs the next word of the chain ends.
  void Absorb(const Row& row);

  // The leaf is in rows 0..hash_len-1 of what this returns.
  const Block<24>& Finish();

 private:
  Block<24> state_{};
  size_t position_ = kParameterLen + kTweakLen;  // in the rate, of the next word
};

// Compresses kLanes pairs of nodes. Children are written to left() and right(); parents are then in left().
class ParentLanes {
 public:
  explicit ParentLanes(size_t hash_len) : hash_len_(hash_len) {}

  void SetParameter(size_t lane, const FieldParameter& parameter);
  void SetPlace(size_t lane, uint32_t level, uint64_t index);

  Row& left(size_t word) { return input_[kParameterLen + kTweakLen + word]; }
  Row& right(size_t word) { return input_[kParameterLen + kTweakLen + hash_len_ + word]; }

  void Compress();

 private:
  size_t hash_len_;
  Block<24> input_{};
};

}  // namespace lean::xmss

#endif  // LEAN_COMMON_CRYPTO_XMSS_TREE_LANES_H_
