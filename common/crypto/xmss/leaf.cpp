#include "common/crypto/xmss/leaf.h"

#include <algorithm>

#include "common/crypto/field/koala_bear.h"
#include "common/crypto/lanes/kernels.h"

namespace lean::xmss {
namespace {

using crypto::Fp;

LeafCapacity ComputeLeafCapacity(size_t hash_len) {
  // The lengths of parameter, tweak, input and output as one number of 128 bits, in base p.
  unsigned __int128 lengths = static_cast<unsigned __int128>(kParameterLen) << 96 |
                              static_cast<unsigned __int128>(kTweakLen) << 64 |
                              static_cast<unsigned __int128>(kDimension) << 32 | hash_len;
  std::array<uint32_t, 24> state;
  for (uint32_t& digit : state) {
    digit = static_cast<uint32_t>(lengths % Fp::kModulus);
    lengths /= Fp::kModulus;
  }
  crypto::lanes::BestKernels().compress24(state.data(), 1, state.data());
  LeafCapacity capacity;
  std::copy_n(state.begin(), capacity.size(), capacity.begin());
  return capacity;
}

}  // namespace

const LeafCapacity& LeafCapacityOf(const Scheme& scheme) {
  static const LeafCapacity of_eight = ComputeLeafCapacity(8);
  static const LeafCapacity of_seven = ComputeLeafCapacity(7);
  return scheme.hash_len() == 8 ? of_eight : of_seven;
}

void HashLeaves(const Scheme& scheme, const PrfKey& prf_key, const Parameter& parameter, uint32_t first_slot,
                absl::Span<uint32_t> leaves) {
  const crypto::lanes::LeafSource source{.prf_key = prf_key.bytes().data(),
                                         .parameter = parameter.data(),
                                         .capacity = LeafCapacityOf(scheme).data(),
                                         .hash_len = scheme.hash_len()};
  crypto::lanes::BestKernels().leaves(source, first_slot, leaves.size() / scheme.hash_len(), leaves.data());
}

}  // namespace lean::xmss
