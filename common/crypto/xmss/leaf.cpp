#include "common/crypto/xmss/leaf.h"

#include <algorithm>

#include "common/crypto/xmss/chain_lanes.h"
#include "common/crypto/xmss/prf_input.h"
#include "common/crypto/xmss/prf_lanes.h"
#include "common/crypto/xmss/tree_lanes.h"
#include "common/crypto/xmss/tweak_hash.h"

namespace lean::xmss {

void HashLeaves(const Scheme& scheme, const PrfKey& prf_key, const Parameter& parameter, uint32_t first_slot,
                absl::Span<uint32_t> leaves) {
  const size_t len = scheme.hash_len();
  const FieldParameter field_parameter = ToField(parameter);
  PrfLanes prf(PrfInput(prf_key.bytes(), first_slot, 0));
  ChainLanes chains(len);
  // Lanes are slots; those past the last leaf are computed for nothing.
  for (size_t first = 0; first < leaves.size() / len; first += kLanes) {
    const auto slot = static_cast<uint32_t>(first_slot + first);
    LeafLanes sponge(len);
    for (size_t lane = 0; lane < kLanes; ++lane) {
      sponge.Start(lane, field_parameter, slot + lane);
      chains.SetPlace(lane, field_parameter, slot + lane, 0, 0);
    }
    for (uint32_t chain = 0; chain < kDimension; ++chain) {
      if (chain != 0) chains.NextChain();
      prf.SetNumber(PrfInput::kChainAt, 8, chain);
      prf.Expand(PrfInput::kSlotAt, 4, slot, absl::MakeSpan(&chains.value(0), len));
      for (uint32_t position = 0; position < kChainEnd; ++position) chains.Step();
      for (size_t word = 0; word < len; ++word) sponge.Absorb(chains.value(word));
    }
    const Block<24>& hashed = sponge.Finish();
    const size_t count = std::min(kLanes, leaves.size() / len - first);
    for (size_t lane = 0; lane < count; ++lane) {
      for (size_t word = 0; word < len; ++word) {
        leaves[(first + lane) * len + word] = hashed[word].lane[lane].canonical();
      }
    }
  }
}

}  // namespace lean::xmss
