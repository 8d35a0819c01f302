#include "beacon/chain/fork_choice.h"

#include <algorithm>
#include <utility>

namespace lean::beacon {
namespace {

// Prune does nothing below this many droppable blocks, because moving the others would cost more.
constexpr size_t kPruneThreshold = 64;

// The capacity grows by an eighth at a time, so that little of it is unused.
constexpr size_t kGrowth = 8;
constexpr size_t kMinGrowth = 64;

}  // namespace

ForkChoice::ForkChoice(const Root& anchor, const Root& anchor_parent, uint64_t slot)
    : nodes_(std::make_unique<NodeList>()),
      index_(std::make_unique<RootIndex>(0, RootHash{nodes_.get()}, RootEqual{nodes_.get()})),
      earliest_parent_(anchor_parent) {
  Append(anchor, slot, kNone);
  At(0).on_path = true;
}

ForkChoice::Index ForkChoice::IndexOf(const Root& root) const {
  const auto it = index_->find(root);
  return it == index_->end() ? kNone : *it;
}

ForkChoice::Index ForkChoice::Append(const Root& root, uint64_t slot, Index parent) {
  const Index index = static_cast<Index>(nodes_->size());
  Node node;
  node.root = root;
  node.slot = static_cast<uint32_t>(slot);
  node.parent = parent;
  if (parent != kNone) {
    Node& above = At(parent);
    node.depth = above.depth + 1;
    node.next_sibling = above.first_child;
    above.first_child = index;
    // Skew-binary jumps (Myers): any ancestor is O(log) jumps and steps away.
    const Index jump = above.jump;
    const bool merge = jump != kNone && At(jump).jump != kNone &&
                       above.depth - At(jump).depth == At(jump).depth - At(At(jump).jump).depth;
    node.jump = merge ? At(jump).jump : parent;
  }
  if (nodes_->size() == nodes_->capacity()) nodes_->reserve(nodes_->size() + nodes_->size() / kGrowth + kMinGrowth);
  nodes_->push_back(node);
  index_->insert(index);
  return index;
}

bool ForkChoice::AddBlock(const Root& root, const Root& parent_root, uint64_t slot) {
  const Index parent = IndexOf(parent_root);
  if (parent == kNone) return false;
  Append(root, slot, parent);
  changed_parents_.push_back(parent);
  return true;
}

std::optional<Checkpoint> ForkChoice::ParentOf(const Root& root) const {
  const Index node = IndexOf(root);
  if (node == kNone || At(node).parent == kNone) return std::nullopt;
  const Node& parent = At(At(node).parent);
  return Checkpoint{.root = parent.root, .slot = parent.slot};
}

bool ForkChoice::DescendsFrom(Index node, Index ancestor) const {
  const uint32_t depth = At(ancestor).depth;
  while (At(node).depth > depth) {
    const Index jump = At(node).jump;
    node = jump != kNone && At(jump).depth >= depth ? jump : At(node).parent;
  }
  return node == ancestor;
}

bool ForkChoice::Descends(const Root& root, const Root& ancestor) const {
  const Index node = IndexOf(root);
  const Index below = IndexOf(ancestor);
  return node != kNone && below != kNone && DescendsFrom(node, below);
}

void ForkChoice::AddDelta(Index node, int32_t delta) {
  At(node).delta += delta;
  if (At(node).queued) return;
  At(node).queued = true;
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
  if (At(a).weight != At(b).weight) return At(a).weight > At(b).weight;
  return At(a).root > At(b).root;
}

ForkChoice::Index ForkChoice::HeaviestChild(Index node) const {
  Index best = At(node).first_child;
  if (best == kNone) return kNone;
  for (Index child = At(best).next_sibling; child != kNone; child = At(child).next_sibling) {
    if (IsBetter(child, best)) best = child;
  }
  return best;
}

// An only child is its parent's best child, whatever its weight.
bool ForkChoice::HasSibling(Index node) const {
  return At(node).next_sibling != kNone || At(At(node).parent).first_child != node;
}

void ForkChoice::ApplyDeltas() {
  // Highest index first, so that a block's delta is complete before it moves on to the parent. Where votes left one
  // block and came to another, the deltas meet below both, cancel out, and the work ends there.
  while (!touched_.empty()) {
    std::pop_heap(touched_.begin(), touched_.end());
    const Index index = touched_.back();
    touched_.pop_back();
    Node& node = At(index);
    node.queued = false;
    const int32_t delta = std::exchange(node.delta, 0);
    if (delta == 0) continue;
    node.weight += delta;
    if (node.parent == kNone) continue;
    if (HasSibling(index)) changed_parents_.push_back(node.parent);
    AddDelta(node.parent, delta);
  }
}

void ForkChoice::ExtendPath(Index from) {
  At(from).on_path = true;
  while (At(from).best_child != kNone) {
    from = At(from).best_child;
    At(from).on_path = true;
  }
  head_ = from;
}

void ForkChoice::ClearPath(Index from) {
  for (; from != kNone && At(from).on_path; from = At(from).parent) At(from).on_path = false;
}

Root ForkChoice::UpdateHead(const Root& start_root) {
  const Index start = StartOf(start_root);
  ApplyDeltas();
  // The lowest block on the path from `start` whose best child has changed.
  Index branch = kNone;
  bool stale_below_start = false;
  for (const Index parent : changed_parents_) {
    const Index best = HeaviestChild(parent);
    if (std::exchange(At(parent).best_child, best) == best) continue;
    if (!At(parent).on_path) continue;
    if (parent >= start) {
      branch = std::min(branch, parent);
    } else {
      stale_below_start = true;
    }
  }
  changed_parents_.clear();

  if (!At(start).on_path) {
    ClearPath(head_);
    ExtendPath(start);
    return At(head_).root;
  }
  if (branch != kNone) {
    for (Index node = head_; node != branch; node = At(node).parent) At(node).on_path = false;
    ExtendPath(branch);
  }
  if (stale_below_start) ClearPath(At(start).parent);
  return At(head_).root;
}

Root ForkChoice::HeadWith(const Root& start_root, const VoteMap& votes) const {
  const Index start = StartOf(start_root);
  // The same as AddDelta and ApplyDeltas, without changing the tree.
  absl::flat_hash_map<Index, int32_t> changes;  // of weights
  std::vector<Index> heap;
  const auto add = [&](Index node, int32_t change) {
    const auto [it, inserted] = changes.try_emplace(node, 0);
    it->second += change;
    if (!inserted) return;
    heap.push_back(node);
    std::push_heap(heap.begin(), heap.end());
  };
  votes.ForEach([&](const SignedVotePtr& vote) {
    const Index to = IndexOf(vote->message.data.head.root);
    const auto held = vote_heads_.find(vote->message.validator_id);
    const Index from = held == vote_heads_.end() ? kNone : held->second;
    if (from == to) return;
    if (from != kNone) add(from, -1);
    if (to != kNone) add(to, 1);
  });
  std::vector<Index> parents;  // whose best child may have changed
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end());
    const Index index = heap.back();
    heap.pop_back();
    const int32_t change = changes[index];
    const Index parent = At(index).parent;
    if (change == 0 || parent == kNone) continue;
    if (HasSibling(index)) parents.push_back(parent);
    add(parent, change);
  }

  const auto weight = [&](Index node) {
    const auto it = changes.find(node);
    return At(node).weight + (it == changes.end() ? 0 : it->second);
  };
  absl::flat_hash_map<Index, Index> best_children;  // where they have changed
  Index branch = At(start).on_path ? head_ : start;
  for (const Index parent : parents) {
    Index best = At(parent).first_child;
    for (Index child = At(best).next_sibling; child != kNone; child = At(child).next_sibling) {
      if (std::pair(weight(child), At(child).root) > std::pair(weight(best), At(best).root)) best = child;
    }
    if (best == At(parent).best_child) continue;
    best_children[parent] = best;
    if (At(start).on_path && At(parent).on_path && parent >= start) branch = std::min(branch, parent);
  }
  while (true) {
    const auto other = best_children.find(branch);
    const Index next = other == best_children.end() ? At(branch).best_child : other->second;
    if (next == kNone) return At(branch).root;
    branch = next;
  }
}

Root ForkChoice::FindWithScore(const Root& start_root, const VoteMap& votes, uint64_t min_score) const {
  const Index start = StartOf(start_root);
  absl::flat_hash_map<Index, uint64_t> votes_by_head;
  uint64_t total = 0;
  votes.ForEach([&](const SignedVotePtr& vote) {
    const Index head = IndexOf(vote->message.data.head.root);
    if (head == kNone || At(head).slot <= At(start).slot) return;
    ++votes_by_head[head];
    ++total;
  });
  if (min_score > 0 && total < min_score) return At(start).root;
  if (min_score == 0 || total >= 2 * min_score) return At(WalkByVotes(start, votes_by_head, min_score)).root;

  // The score is more than half of all votes, so at each fork at most one branch reaches it. Going from the voted heads
  // toward the root, the first block that reaches it is the end of the walk, if it descends from `start`.
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
    if (weight >= min_score) return At(DescendsFrom(index, start) ? index : start).root;
    const Index parent = At(index).parent;
    if (parent == kNone || At(parent).slot <= At(start).slot) continue;
    const auto [it, inserted] = weights.try_emplace(parent, 0);
    it->second += weight;
    if (inserted) {
      heap.push_back(parent);
      std::push_heap(heap.begin(), heap.end());
    }
  }
  return At(start).root;
}

ForkChoice::Index ForkChoice::WalkByVotes(Index start, const absl::flat_hash_map<Index, uint64_t>& votes_by_head,
                                          uint64_t min_score) const {
  std::vector<uint64_t> weights(nodes_->size());
  for (const auto& [head, count] : votes_by_head) weights[head] = count;
  for (size_t index = nodes_->size() - 1; index > start; --index) weights[At(index).parent] += weights[index];

  Index node = start;
  while (true) {
    Index best = kNone;
    for (Index child = At(node).first_child; child != kNone; child = At(child).next_sibling) {
      if (weights[child] < min_score) continue;
      if (best == kNone || std::pair(weights[child], At(child).root) > std::pair(weights[best], At(best).root)) {
        best = child;
      }
    }
    if (best == kNone) return node;
    node = best;
  }
}

void ForkChoice::Prune(const Root& root) {
  const Index base = IndexOf(root);
  // Blocks that stay have a higher index than the new root, so at least `base` blocks are dropped.
  if (base == kNone || base < kPruneThreshold || base < nodes_->size() / 2) return;
  ApplyDeltas();
  const std::vector<Index> changed_parents = std::exchange(changed_parents_, {});
  const Root head_root = At(head_).root;
  earliest_parent_ = At(At(base).parent).root;
  index_->clear();
  const NodeList old_nodes = std::exchange(*nodes_, {});
  std::vector<Index> moved(old_nodes.size(), kNone);
  for (size_t old_index = base; old_index < old_nodes.size(); ++old_index) {
    const Node& old_node = old_nodes[old_index];
    const bool is_base = old_index == base;
    if (!is_base && (old_node.parent < base || moved[old_node.parent] == kNone)) continue;
    const Index index = Append(old_node.root, old_node.slot, is_base ? kNone : moved[old_node.parent]);
    At(index).weight = old_node.weight;
    At(index).on_path = old_node.on_path;
    moved[old_index] = index;
  }
  for (size_t old_index = base; old_index < old_nodes.size(); ++old_index) {
    const Index best = old_nodes[old_index].best_child;
    if (moved[old_index] != kNone && best != kNone) At(moved[old_index]).best_child = moved[best];
  }
  for (const Index parent : changed_parents) {
    if (moved[parent] != kNone) changed_parents_.push_back(moved[parent]);
  }
  for (auto& [validator, head] : vote_heads_) head = head == kNone ? kNone : moved[head];
  head_ = IndexOf(head_root);
  // The head's branch was dropped: the next update walks from the start.
  if (head_ == kNone) head_ = 0;
}

std::vector<ForkChoiceNode> ForkChoice::Nodes(const Root& from, size_t limit) const {
  std::vector<ForkChoiceNode> result;
  const Index first = IndexOf(from);
  if (first == kNone) return result;
  for (Index index = static_cast<Index>(nodes_->size()); index > first && result.size() < limit;) {
    --index;
    if (!DescendsFrom(index, first)) continue;
    const Node& node = At(index);
    result.push_back(ForkChoiceNode{.root = node.root,
                                    .parent_root = node.parent == kNone ? earliest_parent_ : At(node.parent).root,
                                    .slot = node.slot,
                                    .weight = static_cast<uint64_t>(node.weight),
                                    .canonical = node.on_path});
  }
  std::reverse(result.begin(), result.end());
  return result;
}

}  // namespace lean::beacon
