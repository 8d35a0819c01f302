// A persistent Merkle tree of 32-byte chunks: copies share their nodes, a change makes new nodes on one path only, and
// every node carries its hash. So copying costs O(1), and change + root cost the tree's height, whatever the tree
// holds.
//
// Nodes never change once made (hashes are computed at once, not on demand), hence trees that share nodes may be read,
// copied and changed from different threads at the same time; one tree object is thread compatible, as std::vector is.
#ifndef LEAN_COMMON_SSZ_CHUNK_TREE_H_
#define LEAN_COMMON_SSZ_CHUNK_TREE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/types/span.h"
#include "common/bytes/bytes.h"

namespace lean::ssz {

class ChunkTree {
 public:
  // Chunks lie in blocks of 2^kLeafHeight, which are the leaves of the pointer structure.
  static constexpr int kLeafHeight = 4;

  // 2^height zero chunks; kLeafHeight <= height < 64. Takes no memory: a subtree of zeros is a null pointer.
  explicit ChunkTree(int height) : height_(height) {}

  const Root& root() const { return RootOf(tree_, height_); }

  // The chunk at index < 2^height. The reference lives as long as this tree is neither changed nor destroyed.
  const Root& Get(uint64_t index) const;

  void Set(uint64_t index, const Root& chunk);

  // Makes `chunks` (at most 2^height) the whole content, followed by zeros. What equals the old content at its place
  // stays shared with it and is not hashed again.
  void Assign(absl::Span<const Root> chunks);

  // Copies the chunks from `first` on into out; first + out.size() is at most 2^height.
  void Read(uint64_t first, absl::Span<Root> out) const;

 private:
  struct Node;
  struct Inner;
  struct Leaf;
  using NodePtr = std::shared_ptr<const Node>;

  static const Root& RootOf(const NodePtr& node, int height);
  static NodePtr MakeInner(NodePtr left, NodePtr right, int height);
  static NodePtr SetChunk(const NodePtr& old, int height, uint64_t index, const Root& chunk);
  static NodePtr AssignChunks(const NodePtr& old, int height, absl::Span<const Root> chunks);
  static NodePtr AssignLeaf(const NodePtr& old, size_t first, absl::Span<const Root> chunks, bool fill);
  static void ReadChunks(const Node* node, int height, uint64_t first, absl::Span<Root> out);

  int height_;
  NodePtr tree_;
};

}  // namespace lean::ssz

#endif  // LEAN_COMMON_SSZ_CHUNK_TREE_H_
