// LMD GHOST over the block tree, updated incrementally: moving a vote touches the blocks between its old and its new
// head, and finding the head touches what has changed since, so that the cost of a call does not grow with the chain.
// The head is that of leanSpec 050fa4a (Store._compute_lmd_ghost_head), which walks the whole tree: the heaviest child
// first, and the lexicographically larger root of equals. Takes at most 100 bytes a block. Thread compatible.
#ifndef LEAN_BEACON_CHAIN_FORK_CHOICE_H_
#define LEAN_BEACON_CHAIN_FORK_CHOICE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "beacon/chain/vote_map.h"
#include "common/bytes/bytes.h"
#include "common/containers/attestation.h"

namespace lean::beacon {

// One block of the tree, for queries.
struct ForkChoiceNode {
  Root root;
  Root parent_root;
  uint64_t slot = 0;
  uint64_t weight = 0;     // validators whose known vote is for this block or one above it
  bool canonical = false;  // on the path from the start of the walk to the head
};

class ForkChoice {
 public:
  // Slots are below 2^32: a chain ends at 2^18.
  ForkChoice(const Root& anchor, const Root& anchor_parent, uint64_t slot);

  // Adds a block above its parent. The slot is higher than the parent's, and the root is new. False: the parent is not
  // in the tree, and nothing changes.
  bool AddBlock(const Root& root, const Root& parent_root, uint64_t slot);

  bool Contains(const Root& root) const { return index_->contains(root); }
  // The block's parent; nullopt when either is not in the tree.
  std::optional<Checkpoint> ParentOf(const Root& root) const;
  // True when `root` is `ancestor` or lies above it; false when either is not in the tree. O(log of the distance).
  bool Descends(const Root& root, const Root& ancestor) const;

  // Moves the validator's weight to `head`. A head outside the tree has no weight.
  void MoveVote(uint64_t validator, const Root& head);

  // The head, walking from `start` (a zero root: from the earliest block). `start` is zero or in the tree.
  Root UpdateHead(const Root& start);

  // The head that UpdateHead(start) would find after MoveVote for each of `votes`; nothing changes. Valid only when
  // nothing has changed since an UpdateHead with the same start. Costs what those calls would cost.
  Root HeadWith(const Root& start, const VoteMap& votes) const;

  // Walks from `start` by the weights of `votes` only, and returns the first block whose children all have less than
  // min_score. `start` is zero or in the tree.
  Root FindWithScore(const Root& start, const VoteMap& votes, uint64_t min_score) const;

  // Drops all blocks except `root` and those above it, once they are more than half of the tree. Does nothing when
  // `root` is not in the tree.
  void Prune(const Root& root);

  size_t size() const { return nodes_->size(); }
  // Approximate memory, with the places of the validators' votes.
  size_t bytes() const {
    return nodes_->capacity() * sizeof(Node) + index_->capacity() * (sizeof(Index) + 1) +
           vote_heads_.capacity() * (sizeof(std::pair<uint64_t, Index>) + 1);
  }
  // `from` and the blocks above it, parents before children; empty when `from` is not in the tree. When there are more
  // than `limit`, the ones added last. Weights and `canonical` are those of the last UpdateHead.
  std::vector<ForkChoiceNode> Nodes(const Root& from, size_t limit = SIZE_MAX) const;

 private:
  using Index = uint32_t;
  static constexpr Index kNone = UINT32_MAX;

  // 72 bytes. There is one for each block since finality, however long ago that is.
  struct Node {
    Root root;
    uint32_t slot = 0;
    int32_t weight = 0;
    int32_t delta = 0;     // change of weight not yet applied here and below
    Index parent = kNone;  // lower than the node's own index
    Index jump = kNone;    // some ancestor further down, for Descends
    uint32_t depth = 0;    // steps from the tree's root
    Index first_child = kNone;
    Index next_sibling = kNone;
    Index best_child = kNone;  // heaviest, then largest root; as of the last UpdateHead
    bool queued = false;       // in touched_
    bool on_path = false;      // on the path to the last head
  };
  using NodeList = std::vector<Node>;

  // The index holds places, not roots: these look the roots up in the nodes.
  struct RootHash {
    using is_transparent = void;
    const NodeList* nodes;
    size_t operator()(const Root& root) const { return absl::Hash<Root>()(root); }
    size_t operator()(Index index) const { return (*this)((*nodes)[index].root); }
  };
  struct RootEqual {
    using is_transparent = void;
    const NodeList* nodes;
    const Root& RootOf(Index index) const { return (*nodes)[index].root; }
    const Root& RootOf(const Root& root) const { return root; }
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      return RootOf(a) == RootOf(b);
    }
  };
  using RootIndex = absl::flat_hash_set<Index, RootHash, RootEqual>;

  Node& At(Index index) { return (*nodes_)[index]; }
  const Node& At(Index index) const { return (*nodes_)[index]; }
  Index IndexOf(const Root& root) const;
  // The same, where a zero root means the earliest block.
  Index StartOf(const Root& root) const { return root.IsZero() ? 0 : IndexOf(root); }
  Index Append(const Root& root, uint64_t slot, Index parent);
  void AddDelta(Index node, int32_t delta);
  bool IsBetter(Index a, Index b) const;
  Index HeaviestChild(Index node) const;
  bool DescendsFrom(Index node, Index ancestor) const;
  // Turns all deltas into weights, and notes the parents whose best child may be another one now.
  void ApplyDeltas();
  // Takes `from` and what lies below it off the path.
  void ClearPath(Index from);
  // Puts `from` and its best descendants on the path; the last of them is the head.
  void ExtendPath(Index from);
  // Whether another child than before may be the parent's best one when this node's weight changes.
  bool HasSibling(Index node) const;
  // FindWithScore by the plain walk, for scores that several branches may reach.
  Index WalkByVotes(Index start, const absl::flat_hash_map<Index, uint64_t>& votes_by_head, uint64_t min_score) const;

  // Behind pointers, so that the index finds the nodes when this object moves.
  std::unique_ptr<NodeList> nodes_;  // parents before children
  std::unique_ptr<RootIndex> index_;
  Root earliest_parent_;
  absl::flat_hash_map<uint64_t, Index> vote_heads_;  // what each validator's weight counts for
  std::vector<Index> touched_;                       // heap of nodes with a delta
  std::vector<Index> changed_parents_;               // whose best child may have changed
  Index head_ = 0;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_CHAIN_FORK_CHOICE_H_
