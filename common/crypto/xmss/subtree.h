// A part of a key's tree: consecutive levels, each with its nodes from some index on.
#ifndef LEAN_COMMON_CRYPTO_XMSS_SUBTREE_H_
#define LEAN_COMMON_CRYPTO_XMSS_SUBTREE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "common/crypto/xmss/words.h"

namespace lean::xmss {

// Nodes first_index, first_index + 1, … of one level, hash_len() words each.
struct Layer {
  uint64_t first_index = 0;
  std::vector<uint32_t> words;

  friend bool operator==(const Layer&, const Layer&) = default;
};

// Levels lowest_level, lowest_level + 1, … of the tree (level 0 is the leaves). Holds nothing secret.
struct Subtree {
  uint32_t lowest_level = 0;
  std::vector<Layer> layers;

  friend bool operator==(const Subtree&, const Subtree&) = default;
};

// The node of a layer; `index` is one it holds.
Node NodeAt(const Layer& layer, uint64_t index, size_t hash_len);

}  // namespace lean::xmss

#endif  // LEAN_COMMON_CRYPTO_XMSS_SUBTREE_H_
