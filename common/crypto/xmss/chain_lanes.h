// Hash chains in lanes.
#ifndef LEAN_COMMON_CRYPTO_XMSS_CHAIN_LANES_H_
#define LEAN_COMMON_CRYPTO_XMSS_CHAIN_LANES_H_

#include <array>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "common/crypto/xmss/lanes.h"
#include "common/crypto/xmss/scheme.h"
#include "common/crypto/xmss/tweak_hash.h"

namespace lean::xmss {

// kLanes chains that step together, each with its own parameter, slot, number and position. The values are wiped at
// destruction.
class ChainLanes {
 public:
  explicit ChainLanes(size_t hash_len);
  ChainLanes(const ChainLanes&) = delete;
  ChainLanes& operator=(const ChainLanes&) = delete;
  ~ChainLanes();

  // Sets up a lane for a chain whose value at `position` is in the lane's value rows.
  void SetPlace(size_t lane, const FieldParameter& parameter, uint64_t slot, uint32_t chain, uint32_t position);

  // Moves every lane to the next chain of its slot, from position kChainEnd to position 0.
  void NextChain() { AdvanceTweaks(kChainStride - kChainEnd * kPositionStride); }

  // One step in every lane.
  void Step();

  // Word `word` (below hash_len) of the lanes' values.
  Row& value(size_t word) { return input_[kParameterLen + kTweakLen + word]; }

 private:
  // By how much the tweak's number grows.
  static constexpr uint32_t kPositionStride = 1 << 8;
  static constexpr uint32_t kChainStride = 1 << 16;

  void AdvanceTweaks(uint32_t stride);

  size_t hash_len_;
  Block<16> input_{};                               // parameter, tweak, value, zero: what a step compresses
  alignas(64) std::array<uint32_t, kLanes> low_{};  // the tweak's first digit in canonical form, to see it overflow
};

// A chain to walk `steps` (0..7) steps from `position`. Its value is a column of rows: word w at value[w * kLanes].
struct ChainTask {
  const FieldParameter* parameter = nullptr;
  uint64_t slot = 0;
  uint32_t chain = 0;
  uint32_t position = 0;
  uint32_t steps = 0;
  Fp* value = nullptr;
};

// Walks every chain to its end, longest first, so that few lanes idle towards the end. Takes time that depends on the
// numbers of steps, which a signature publishes, and not on the values.
void WalkChains(size_t hash_len, absl::Span<const ChainTask> tasks);

}  // namespace lean::xmss

#endif  // LEAN_COMMON_CRYPTO_XMSS_CHAIN_LANES_H_
