// Computes one bottom tree of a key in slices, so that it can be prepared in the background well before its first slot.
#ifndef LEAN_COMMON_CRYPTO_XMSS_BOTTOM_TREE_BUILDER_H_
#define LEAN_COMMON_CRYPTO_XMSS_BOTTOM_TREE_BUILDER_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "common/crypto/xmss/prf_key.h"
#include "common/crypto/xmss/scheme.h"
#include "common/crypto/xmss/subtree.h"
#include "common/crypto/xmss/words.h"

namespace lean::xmss {

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

#endif  // LEAN_COMMON_CRYPTO_XMSS_BOTTOM_TREE_BUILDER_H_
