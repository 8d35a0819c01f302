#include "beacon/chain/fork_choice.h"

#include <algorithm>
#include <utility>

namespace lean::beacon {
namespace {

// Below this many droppable blocks, Prune leaves them where they are: moving the others would cost more.
constexpr size_t kPruneThreshold = 64;

}  // namespace

ForkChoice::ForkChoice(const Root& anchor, const Root& anchor_parent, uint64_t slot) {
  Append(anchor, anchor_parent, slot, kNone);
  nodes_[0].on_path = true;
}

ForkChoice::Index ForkChoice::IndexOf(const Root& root) const {
  const auto it = index_.find(root);
  return it == index_.end() ? kNone : it->second;
}

ForkChoice::Index ForkChoice::Append(const Root& root, const Root& parent_root, uint64_t slot, Index parent) {
  const Index index = static_cast<Index>(nodes_.size());
  Node node;
  node.root = root;
  node.parent_root = parent_root;
  node.slot = slot;
  node.parent = parent;
  if (parent != kNone) {
    Node& above = nodes_[parent];
    node.depth = above.depth + 1;
    node.next_sibling = above.first_child;
    above.first_child = index;
    // Skew-binary jumps (Myers): any ancestor is O(log) jumps and steps away.
    const Index jump = above.jump;
    const bool merge = jump != kNone && nodes_[jump].jump != kNone &&
                       above.depth - nodes_[jump].depth == nodes_[jump].depth - nodes_[nodes_[jump].jump].depth;
    node.jump = merge ? nodes_[jump].jump : parent;
  }
  nodes_.push_back(node);
  index_.emplace(root, index);
  return index;
}

bool ForkChoice::AddBlock(const Root& root, const Root& parent_root, uint64_t slot) {
  const Index parent = IndexOf(parent_root);
  if (parent == kNone) return false;
  Append(root, parent_root, slot, parent);
  changed_parents_.push_back(parent);
  return true;
}

bool ForkChoice::DescendsFrom(Index node, Index ancestor) const {
  const uint32_t depth = nodes_[ancestor].depth;
  while (nodes_[node].depth > depth) {
    const Index jump = nodes_[node].jump;
    node = jump != kNone && nodes_[jump].depth >= depth ? jump : nodes_[node].parent;
  }
  return node == ancestor;
}

bool ForkChoice::Descends(const Root& root, const Root& ancestor) const {
  const Index node = IndexOf(root);
  const Index below = IndexOf(ancestor);
  return node != kNone && below != kNone && DescendsFrom(node, below);
}

void ForkChoice::AddDelta(Index node, int64_t delta) {
  nodes_[node].delta += delta;
  if (nodes_[node].queued) return;
  nodes_[node].queued = true;
  touched_.push_back(node);
  std::push_heap(touched_.begin(), touched_.end());
}

void ForkChoice::MoveVote(uint64_t validator, const Root& head) {
  const Index to = IndexOf(head);
  const auto [it, inserted] = vote_heads_.try_emplace(validator, kNone);
  const Index from = std::exchange(it->second, to);
  if (from == to) return;
  if (from != kNone) AddDelta(from, -1);
  if (to != kNone) AddDelta(to, 1);
}

bool ForkChoice::IsBetter(Index a, Index b) const {
  if (nodes_[a].weight != nodes_[b].weight) return nodes_[a].weight > nodes_[b].weight;
  return nodes_[a].root > nodes_[b].root;
}

ForkChoice::Index ForkChoice::HeaviestChild(Index node) const {
  Index best = nodes_[node].first_child;
  if (best == kNone) return kNone;
  for (Index child = nodes_[best].next_sibling; child != kNone; child = nodes_[child].next_sibling) {
    if (IsBetter(child, best)) best = child;
  }
  return best;
}

void ForkChoice::ApplyDeltas() {
  // Highest index first, so that a block's delta is complete before it moves on to the parent. Where votes left one
  // block and came to another, the deltas meet below both, cancel out, and the work ends there.
  while (!touched_.empty()) {
    std::pop_heap(touched_.begin(), touched_.end());
    const Index index = touched_.back();
    touched_.pop_back();
    Node& node = nodes_[index];
    node.queued = false;
    const int64_t delta = std::exchange(node.delta, 0);
    if (delta == 0) continue;
    node.weight += delta;
    if (node.parent == kNone) continue;
    // An only child is its parent's best one whatever its weight.
    if (nodes_[node.parent].first_child != index || node.next_sibling != kNone) changed_parents_.push_back(node.parent);
    AddDelta(node.parent, delta);
  }
}

void ForkChoice::ExtendPath(Index from) {
  nodes_[from].on_path = true;
  while (nodes_[from].best_child != kNone) {
    from = nodes_[from].best_child;
    nodes_[from].on_path = true;
  }
  head_ = from;
}

void ForkChoice::ClearPath(Index from) {
  for (; from != kNone && nodes_[from].on_path; from = nodes_[from].parent) nodes_[from].on_path = false;
}

Root ForkChoice::UpdateHead(const Root& start_root) {
  const Index start = start_root.IsZero() ? 0 : IndexOf(start_root);
  ApplyDeltas();
  // The lowest block of the path from `start` on whose best child is another one now.
  Index branch = kNone;
  bool stale_below_start = false;
  for (const Index parent : changed_parents_) {
    const Index best = HeaviestChild(parent);
    if (std::exchange(nodes_[parent].best_child, best) == best) continue;
    if (!nodes_[parent].on_path) continue;
    if (parent >= start) {
      branch = std::min(branch, parent);
    } else {
      stale_below_start = true;
    }
  }
  changed_parents_.clear();

  if (!nodes_[start].on_path) {
    ClearPath(head_);
    ExtendPath(start);
    return nodes_[head_].root;
  }
  if (branch != kNone) {
    for (Index node = head_; node != branch; node = nodes_[node].parent) nodes_[node].on_path = false;
    ExtendPath(branch);
  }
  if (stale_below_start) ClearPath(nodes_[start].parent);
  return nodes_[head_].root;
}

Root ForkChoice::FindWithScore(const Root& start_root, const VoteMap& votes, uint64_t min_score) const {
  const Index start = start_root.IsZero() ? 0 : IndexOf(start_root);
  absl::flat_hash_map<Index, uint64_t> votes_by_head;
  uint64_t total = 0;
  votes.ForEach([&](const SignedVotePtr& vote) {
    const Index head = IndexOf(vote->message.data.head.root);
    if (head == kNone || nodes_[head].slot <= nodes_[start].slot) return;
    ++votes_by_head[head];
    ++total;
  });
  if (min_score > 0 && total < min_score) return nodes_[start].root;
  if (min_score == 0 || total >= 2 * min_score) return nodes_[WalkByVotes(start, votes_by_head, min_score)].root;

  // The score is more than half of all votes, so at most one branch has it at every fork: climbing from the votes down,
  // the first block to have it is where the walk ends, provided that the walk gets there.
  std::vector<Index> heap;
  absl::flat_hash_map<Index, uint64_t> weights = std::move(votes_by_head);
  heap.reserve(weights.size());
  for (const auto& [head, count] : weights) heap.push_back(head);
  std::make_heap(heap.begin(), heap.end());
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end());
    const Index index = heap.back();
    heap.pop_back();
    const uint64_t weight = weights[index];
    weights.erase(index);
    if (weight >= min_score) return nodes_[DescendsFrom(index, start) ? index : start].root;
    const Index parent = nodes_[index].parent;
    if (parent == kNone || nodes_[parent].slot <= nodes_[start].slot) continue;
    const auto [it, inserted] = weights.try_emplace(parent, 0);
    it->second += weight;
    if (inserted) {
      heap.push_back(parent);
      std::push_heap(heap.begin(), heap.end());
    }
  }
  return nodes_[start].root;
}

ForkChoice::Index ForkChoice::WalkByVotes(Index start, const absl::flat_hash_map<Index, uint64_t>& votes_by_head,
                                          uint64_t min_score) const {
  std::vector<uint64_t> weights(nodes_.size());
  for (const auto& [head, count] : votes_by_head) weights[head] = count;
  for (size_t index = nodes_.size() - 1; index > start; --index) weights[nodes_[index].parent] += weights[index];

  Index node = start;
  while (true) {
    Index best = kNone;
    for (Index child = nodes_[node].first_child; child != kNone; child = nodes_[child].next_sibling) {
      if (weights[child] < min_score) continue;
      if (best == kNone ||
          std::pair(weights[child], nodes_[child].root) > std::pair(weights[best], nodes_[best].root)) {
        best = child;
      }
    }
    if (best == kNone) return node;
    node = best;
  }
}

void ForkChoice::Prune(const Root& root) {
  const Index base = IndexOf(root);
  // What stays has a higher index than the new root, so the root's own tells how many must go at least.
  if (base == kNone || base < kPruneThreshold || base < nodes_.size() / 2) return;
  ApplyDeltas();
  const std::vector<Index> changed_parents = std::exchange(changed_parents_, {});
  const Root head_root = nodes_[head_].root;
  const std::vector<Node> old_nodes = std::exchange(nodes_, {});
  std::vector<Index> moved(old_nodes.size(), kNone);
  index_.clear();
  for (size_t old_index = base; old_index < old_nodes.size(); ++old_index) {
    const Node& old_node = old_nodes[old_index];
    const bool is_base = old_index == base;
    if (!is_base && (old_node.parent < base || moved[old_node.parent] == kNone)) continue;
    const Index index =
        Append(old_node.root, old_node.parent_root, old_node.slot, is_base ? kNone : moved[old_node.parent]);
    nodes_[index].weight = old_node.weight;
    nodes_[index].on_path = old_node.on_path;
    moved[old_index] = index;
  }
  for (size_t old_index = base; old_index < old_nodes.size(); ++old_index) {
    const Index best = old_nodes[old_index].best_child;
    if (moved[old_index] != kNone && best != kNone) nodes_[moved[old_index]].best_child = moved[best];
  }
  for (const Index parent : changed_parents) {
    if (moved[parent] != kNone) changed_parents_.push_back(moved[parent]);
  }
  for (auto& [validator, head] : vote_heads_) head = head == kNone ? kNone : moved[head];
  head_ = IndexOf(head_root);
  // A head on a branch that is gone: the next update walks anew.
  if (head_ == kNone) head_ = 0;
}

std::vector<ForkChoiceNode> ForkChoice::Nodes(const Root& from) const {
  std::vector<ForkChoiceNode> result;
  const Index first = IndexOf(from);
  for (Index index = first; index < nodes_.size(); ++index) {
    if (!DescendsFrom(index, first)) continue;
    const Node& node = nodes_[index];
    result.push_back(ForkChoiceNode{.root = node.root,
                                    .parent_root = node.parent_root,
                                    .slot = node.slot,
                                    .weight = static_cast<uint64_t>(node.weight),
                                    .canonical = node.on_path});
  }
  return result;
}

}  // namespace lean::beacon
