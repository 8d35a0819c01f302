#include "common/crypto/xmss/tree_level.h"

#include <algorithm>

#include "common/crypto/xmss/tweak_hash.h"

namespace lean::xmss {

void HashParents(const Scheme& scheme, const Parameter& parameter, uint32_t level, uint64_t first_index,
                 absl::Span<const uint32_t> children, absl::Span<uint32_t> parents) {
  const TweakHash hash(scheme, parameter);
  const size_t len = scheme.hash_len();
  const auto child = [&](size_t i) {
    Node node{};
    std::copy_n(children.begin() + static_cast<ptrdiff_t>(i * len), len, node.begin());
    return ToField(node);
  };
  for (size_t i = 0; i < parents.size() / len; ++i) {
    const Node parent = ToCanonical(hash.Parent(level, first_index + i, child(2 * i), child(2 * i + 1)));
    std::copy_n(parent.begin(), len, parents.begin() + static_cast<ptrdiff_t>(i * len));
  }
}

}  // namespace lean::xmss
