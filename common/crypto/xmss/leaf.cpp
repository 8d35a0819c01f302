#include "common/crypto/xmss/leaf.h"

#include <algorithm>
#include <array>

#include "common/crypto/xmss/tweak_hash.h"

namespace lean::xmss {

void HashLeaves(const Scheme& scheme, const PrfKey& prf_key, const Parameter& parameter, uint32_t first_slot,
                absl::Span<uint32_t> leaves) {
  const TweakHash hash(scheme, parameter);
  for (size_t i = 0; i < leaves.size() / scheme.hash_len(); ++i) {
    const auto slot = static_cast<uint32_t>(first_slot + i);
    std::array<FieldNode, kDimension> ends;
    for (uint32_t chain = 0; chain < kDimension; ++chain) {
      ends[chain] = ToField(prf_key.ChainStart(scheme, slot, chain));
      for (uint32_t position = 1; position <= kChainEnd; ++position) {
        ends[chain] = hash.ChainStep(slot, chain, position, ends[chain]);
      }
    }
    const Node leaf = ToCanonical(hash.Leaf(slot, ends));
    std::copy_n(leaf.begin(), scheme.hash_len(), leaves.begin() + static_cast<ptrdiff_t>(i * scheme.hash_len()));
  }
}

}  // namespace lean::xmss
