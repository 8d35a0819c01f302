#include "common/crypto/xmss/tree_level.h"

#include <algorithm>

#include "common/crypto/xmss/tree_lanes.h"
#include "common/crypto/xmss/tweak_hash.h"

namespace lean::xmss {

void HashParents(const Scheme& scheme, const Parameter& parameter, uint32_t level, uint64_t first_index,
                 absl::Span<const uint32_t> children, absl::Span<uint32_t> parents) {
  const size_t len = scheme.hash_len();
  const FieldParameter field_parameter = ToField(parameter);
  ParentLanes lanes(len);
  for (size_t lane = 0; lane < kLanes; ++lane) lanes.SetParameter(lane, field_parameter);
  const size_t total = parents.size() / len;
  for (size_t first = 0; first < total; first += kLanes) {
    const size_t count = std::min(kLanes, total - first);
    for (size_t lane = 0; lane < count; ++lane) {
      lanes.SetPlace(lane, level, first_index + first + lane);
      // Left and right child lie side by side, here as there.
      for (size_t word = 0; word < 2 * len; ++word) {
        lanes.left(word).lane[lane] = Fp::FromRaw(children[(first + lane) * 2 * len + word]);
      }
    }
    for (size_t word = 0; word < 2 * len; ++word) ToMontgomery(lanes.left(word));
    lanes.Compress();
    for (size_t lane = 0; lane < count; ++lane) {
      for (size_t word = 0; word < len; ++word) {
        parents[(first + lane) * len + word] = lanes.left(word).lane[lane].canonical();
      }
    }
  }
}

}  // namespace lean::xmss
