// LMD GHOST over the block tree, kept up to date incrementally: moving a vote touches the blocks between its old and
// its new head, and finding the head touches what changed since, so no call costs more because the chain is long. Gives
// the head that leanSpec 050fa4a (Store._compute_lmd_ghost_head) finds by walking everything: heaviest child first,
// ties to the lexicographically larger root. A value: copies are independent. Thread compatible.
#ifndef LEAN_BEACON_CHAIN_FORK_CHOICE_H_
#define LEAN_BEACON_CHAIN_FORK_CHOICE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "beacon/chain/vote_map.h"
#include "common/bytes/bytes.h"

namespace lean::beacon {

// One block of the tree, for queries.
struct ForkChoiceNode {
  Root root;
  Root parent_root;
  uint64_t slot = 0;
  uint64_t weight = 0;     // validators whose counted vote is for this block or one above it
  bool canonical = false;  // on the way from the start of the walk to the head
};

class ForkChoice {
 public:
  ForkChoice(const Root& anchor, const Root& anchor_parent, uint64_t slot);

  // Adds a block above its parent. False, and nothing happens: the parent is not in the tree (any more). The slot is
  // higher than the parent's; the root is new.
  bool AddBlock(const Root& root, const Root& parent_root, uint64_t slot);

  bool Contains(const Root& root) const { return index_.contains(root); }
  // True when `root` is `ancestor` or lies above it; false when either is not in the tree. O(log of the distance).
  bool Descends(const Root& root, const Root& ancestor) const;

  // Makes `head` what the validator's weight counts for. A head outside the tree counts for nothing.
  void MoveVote(uint64_t validator, const Root& head);

  // The head, walking from `start` (a zero root: from the earliest block). `start` is zero or in the tree.
  Root UpdateHead(const Root& start);

  // The last block on the walk from `start` whose children all have fewer than min_score of `votes`, going by these
  // votes' weights alone. `start` is zero or in the tree.
  Root FindWithScore(const Root& start, const VoteMap& votes, uint64_t min_score) const;

  // Drops all blocks but `root` and those above it, once there are enough of them to pay for it. Nothing happens when
  // `root` is not in the tree.
  void Prune(const Root& root);

  size_t size() const { return nodes_.size(); }
  // `from` and the blocks above it, parents before children; none when it is not in the tree. Weights and `canonical`
  // as of the last UpdateHead.
  std::vector<ForkChoiceNode> Nodes(const Root& from) const;

 private:
  using Index = uint32_t;
  static constexpr Index kNone = UINT32_MAX;

  struct Node {
    Root root;
    Root parent_root;
    uint64_t slot = 0;
    int64_t weight = 0;
    int64_t delta = 0;     // change of weight not yet applied here and below
    Index parent = kNone;  // lower than the node's own index
    Index jump = kNone;    // some ancestor further down, for Descends
    uint32_t depth = 0;    // steps from the tree's root
    Index first_child = kNone;
    Index next_sibling = kNone;
    Index best_child = kNone;  // heaviest, then largest root; as of the last UpdateHead
    bool queued = false;       // in touched_
    bool on_path = false;      // on the path to the last head
  };

  Index IndexOf(const Root& root) const;
  Index Append(const Root& root, const Root& parent_root, uint64_t slot, Index parent);
  void AddDelta(Index node, int64_t delta);
  bool IsBetter(Index a, Index b) const;
  Index HeaviestChild(Index node) const;
  bool DescendsFrom(Index node, Index ancestor) const;
  // Turns all deltas into weights, and notes the parents whose best child may be another one now.
  void ApplyDeltas();
  // Takes `from` and what lies below it off the path.
  void ClearPath(Index from);
  // Puts `from` and its best descendants on the path; the last of them is the head.
  void ExtendPath(Index from);
  // FindWithScore by the plain walk, for scores that several branches may reach.
  Index WalkByVotes(Index start, const absl::flat_hash_map<Index, uint64_t>& votes_by_head, uint64_t min_score) const;

  std::vector<Node> nodes_;  // parents before children
  absl::flat_hash_map<Root, Index> index_;
  absl::flat_hash_map<uint64_t, Index> vote_heads_;  // what each validator's weight counts for
  std::vector<Index> touched_;                       // heap of nodes with a delta
  std::vector<Index> changed_parents_;               // whose best child may have changed
  Index head_ = 0;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_CHAIN_FORK_CHOICE_H_
