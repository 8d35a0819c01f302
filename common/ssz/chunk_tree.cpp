#include "common/ssz/chunk_tree.h"

#include <algorithm>
#include <array>
#include <utility>

#include "common/crypto/sha.h"
#include "common/ssz/merkle.h"

namespace lean::ssz {
namespace {

constexpr size_t kLeafChunks = size_t{1} << ChunkTree::kLeafHeight;

}  // namespace

// The kind of a node follows from its height, so no tag or virtual call is needed.
struct ChunkTree::Node {
  Root root;
};

// Null children are subtrees of zeros.
struct ChunkTree::Inner : Node {
  NodePtr left;
  NodePtr right;
};

// Chunks and the hashes above them; the top one is Node::root.
struct ChunkTree::Leaf : Node {
  // A binary heap: children of i are 2i and 2i + 1, the chunks begin at kLeafChunks. Places 0 and 1 are not used.
  std::array<Root, 2 * kLeafChunks> heap;

  static Leaf Zero() {
    Leaf leaf;
    int height = kLeafHeight;
    for (size_t level = 1; level <= kLeafChunks; level *= 2, --height) {
      std::fill_n(leaf.heap.begin() + level, level, ZeroRoot(height));
    }
    leaf.root = ZeroRoot(kLeafHeight);
    return leaf;
  }

  // Hashes again what lies above the chunks of which bit i of `changed` is set.
  void Rehash(uint64_t changed) {
    uint64_t dirty = 0;  // by place in the heap
    for (size_t i = 0; i < kLeafChunks; ++i) {
      if (changed >> i & 1) dirty |= uint64_t{1} << ((kLeafChunks + i) / 2);
    }
    for (size_t place = kLeafChunks - 1; place >= 1; --place) {
      if ((dirty >> place & 1) == 0) continue;
      heap[place] = crypto::HashPair(heap[2 * place], heap[2 * place + 1]);
      dirty |= uint64_t{1} << (place / 2);
    }
    root = heap[1];
  }
};

const Root& ChunkTree::RootOf(const NodePtr& node, int height) { return node ? node->root : ZeroRoot(height); }

ChunkTree::NodePtr ChunkTree::MakeInner(NodePtr left, NodePtr right, int height) {
  auto node = std::make_shared<Inner>();
  node->root = crypto::HashPair(RootOf(left, height - 1), RootOf(right, height - 1));
  node->left = std::move(left);
  node->right = std::move(right);
  return node;
}

const Root& ChunkTree::Get(uint64_t index) const {
  const Node* node = tree_.get();
  for (int height = height_; height > kLeafHeight; --height) {
    if (node == nullptr) return ZeroRoot(0);
    const auto* inner = static_cast<const Inner*>(node);
    node = (index >> (height - 1) & 1) != 0 ? inner->right.get() : inner->left.get();
  }
  if (node == nullptr) return ZeroRoot(0);
  return static_cast<const Leaf*>(node)->heap[kLeafChunks + index % kLeafChunks];
}

void ChunkTree::Set(uint64_t index, const Root& chunk) { tree_ = SetChunk(tree_, height_, index, chunk); }

ChunkTree::NodePtr ChunkTree::SetChunk(const NodePtr& old, int height, uint64_t index, const Root& chunk) {
  if (height == kLeafHeight) return AssignLeaf(old, index % kLeafChunks, {&chunk, 1}, /*fill=*/false);
  const auto* inner = static_cast<const Inner*>(old.get());
  NodePtr left = inner == nullptr ? nullptr : inner->left;
  NodePtr right = inner == nullptr ? nullptr : inner->right;
  NodePtr& child = (index >> (height - 1) & 1) != 0 ? right : left;
  NodePtr changed = SetChunk(child, height - 1, index, chunk);
  if (changed == child) return old;
  child = std::move(changed);
  return MakeInner(std::move(left), std::move(right), height);
}

// Writes `chunks` from place `first` on, and zeros behind them if `fill`.
ChunkTree::NodePtr ChunkTree::AssignLeaf(const NodePtr& old, size_t first, absl::Span<const Root> chunks, bool fill) {
  static const Leaf zero = Leaf::Zero();
  const Leaf& before = old ? static_cast<const Leaf&>(*old) : zero;
  const auto value = [&](size_t i) -> const Root& { return i < chunks.size() ? chunks[i] : ZeroRoot(0); };
  const size_t count = fill ? kLeafChunks - first : chunks.size();
  uint64_t changed = 0;
  for (size_t i = 0; i < count; ++i) {
    if (before.heap[kLeafChunks + first + i] != value(i)) changed |= uint64_t{1} << (first + i);
  }
  if (changed == 0) return old;
  auto leaf = std::make_shared<Leaf>(before);
  for (size_t i = 0; i < count; ++i) leaf->heap[kLeafChunks + first + i] = value(i);
  leaf->Rehash(changed);
  return leaf;
}

void ChunkTree::Assign(absl::Span<const Root> chunks) { tree_ = AssignChunks(tree_, height_, chunks); }

ChunkTree::NodePtr ChunkTree::AssignChunks(const NodePtr& old, int height, absl::Span<const Root> chunks) {
  if (chunks.empty()) return nullptr;
  if (height == kLeafHeight) return AssignLeaf(old, 0, chunks, /*fill=*/true);
  const auto* inner = static_cast<const Inner*>(old.get());
  const NodePtr none;
  const NodePtr& old_left = inner == nullptr ? none : inner->left;
  const NodePtr& old_right = inner == nullptr ? none : inner->right;
  const size_t half = std::min<uint64_t>(chunks.size(), uint64_t{1} << (height - 1));
  NodePtr left = AssignChunks(old_left, height - 1, chunks.first(half));
  NodePtr right = AssignChunks(old_right, height - 1, chunks.subspan(half));
  if (left == old_left && right == old_right) return old;
  return MakeInner(std::move(left), std::move(right), height);
}

void ChunkTree::Read(uint64_t first, absl::Span<Root> out) const { ReadChunks(tree_.get(), height_, first, out); }

void ChunkTree::ReadChunks(const Node* node, int height, uint64_t first, absl::Span<Root> out) {
  if (out.empty()) return;
  if (node == nullptr) {
    std::fill(out.begin(), out.end(), Root{});
    return;
  }
  if (height == kLeafHeight) {
    std::copy_n(static_cast<const Leaf*>(node)->heap.begin() + kLeafChunks + first, out.size(), out.begin());
    return;
  }
  const auto* inner = static_cast<const Inner*>(node);
  const uint64_t half = uint64_t{1} << (height - 1);
  const size_t in_left = first < half ? std::min<uint64_t>(out.size(), half - first) : 0;
  ReadChunks(inner->left.get(), height - 1, first, out.first(in_left));
  ReadChunks(inner->right.get(), height - 1, first + in_left - half, out.subspan(in_left));
}

}  // namespace lean::ssz
