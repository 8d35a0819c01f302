// The parts of a key's tree, and the builder of one bottom tree.
#ifndef LEAN_COMMON_CRYPTO_XMSS_KEYS_SUBTREE_H_
#define LEAN_COMMON_CRYPTO_XMSS_KEYS_SUBTREE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/crypto/xmss/one_time/prf.h"
#include "common/crypto/xmss/scheme.h"
#include "common/crypto/xmss/words.h"

namespace lean::xmss {

// Nodes first_index, first_index + 1, … of one level, hash_len() canonical words each.
struct Layer {
  uint64_t first_index = 0;
  std::vector<uint32_t> words{};

  friend bool operator==(const Layer&, const Layer&) = default;
};

// Levels lowest_level, lowest_level + 1, … of the tree (level 0 is the leaves). Holds nothing secret.
struct Subtree {
  uint32_t lowest_level = 0;
  std::vector<Layer> layers{};

  friend bool operator==(const Subtree&, const Subtree&) = default;
};

// The node of a layer; `index` is one it holds.
Node NodeAt(const Scheme& scheme, const Layer& layer, uint64_t index);

// The single or, in a top tree, first node of the highest layer.
Node RootOf(const Scheme& scheme, const Subtree& tree);

// The bottom tree over `leaves`, bottom_leaves() nodes that start at leaf index * bottom_leaves().
Subtree BuildBottomTree(const Scheme& scheme, const Parameter& parameter, uint64_t index, std::vector<uint32_t> leaves);

// The top tree over the roots of bottom trees first_index, first_index + 1, … (hash_len() words each, at least one).
// Where a level's ends have no sibling, the next node of `padding` stands in (KeySeed::padding, which has as many as
// the shape needs), so the root is not one of a complete tree.
Subtree BuildTopTree(const Scheme& scheme, const Parameter& parameter, uint64_t first_index,
                     std::vector<uint32_t> roots, absl::Span<const uint32_t> padding);

// The indices and sizes of layers.
struct LayerShape {
  uint64_t first_index = 0;
  uint64_t nodes = 0;
};

// Those that the builders above give to bottom tree `index` and to the top tree over bottom trees first_index,
// first_index + 1, … (`count` of them, at least one).
std::vector<LayerShape> BottomTreeShape(const Scheme& scheme, uint64_t index);
std::vector<LayerShape> TopTreeShape(const Scheme& scheme, uint64_t first_index, uint64_t count);

bool HasShape(const Scheme& scheme, const Subtree& tree, absl::Span<const LayerShape> shape);

// Whether each node of the upper layers is the hash of its children. The tree has one of the shapes above.
bool IsConsistent(const Scheme& scheme, const Parameter& parameter, const Subtree& tree);

// Holds a copy of the seed, wiped at destruction. Not thread-safe; may be used on another thread than its key.
class BottomTreeBuilder {
 public:
  // For bottom tree `index`, whose leaves lie within the scheme's lifetime.
  BottomTreeBuilder(const Scheme& scheme, PrfKey prf_key, const Parameter& parameter, uint64_t index);

  // Computes up to `count` more leaves; with the last of them the levels above (tens of milliseconds at lifetime 2^32).
  void Step(uint64_t count);

  // Computes the leaves that are left on `threads` threads, this one included. `progress` is called on this thread with
  // the number of leaves done in this call; false stops. Cancelled: it did; the leaves done are lost.
  absl::Status Finish(unsigned threads, const std::function<bool(uint64_t leaves_done)>& progress);

  uint64_t index() const { return index_; }
  uint64_t leaves_done() const { return done_; }
  uint64_t leaves_total() const { return scheme_.bottom_leaves(); }
  bool done() const { return done_ == leaves_total(); }

  // The tree; done() is true.
  Subtree Take() &&;

 private:
  // Leaves begin..end-1 of the tree, to their place.
  void ComputeLeaves(uint64_t begin, uint64_t end);
  // Of the leaves, once all are there.
  void BuildTree();

  Scheme scheme_;
  PrfKey prf_key_;
  Parameter parameter_;
  uint64_t index_;
  uint64_t done_ = 0;
  std::vector<uint32_t> leaves_;  // until all are there
  Subtree tree_;                  // from then on
};

}  // namespace lean::xmss

#endif  // LEAN_COMMON_CRYPTO_XMSS_KEYS_SUBTREE_H_
