// List of at most Limit roots, persistent: copying is O(1), and a change with the new hash_tree_root costs the tree's
// height in hashes, however long the list is. Sharing and thread safety: see chunk_tree.h.
#ifndef LEAN_COMMON_SSZ_ROOT_LIST_H_
#define LEAN_COMMON_SSZ_ROOT_LIST_H_

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/ssz/chunk_tree.h"
#include "common/ssz/ssz.h"
#include "common/status/status_macros.h"

namespace lean::ssz {

template <uint64_t Limit>
class RootList {
 public:
  using value_type = Root;

  static constexpr uint64_t kLimit = Limit;
  static constexpr int kHeight = TreeHeight(Limit);
  static_assert(kHeight >= ChunkTree::kLeafHeight);

  // Reads one root a step, valid until the list is changed. To walk a whole list, ToVector is several times faster.
  class const_iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Root;
    using difference_type = ptrdiff_t;
    using pointer = const Root*;
    using reference = const Root&;

    const_iterator(const RootList* list, size_t index) : list_(list), index_(index) {}
    reference operator*() const { return (*list_)[index_]; }
    pointer operator->() const { return &(*list_)[index_]; }
    const_iterator& operator++() {
      ++index_;
      return *this;
    }
    const_iterator operator++(int) { return const_iterator(list_, index_++); }
    friend bool operator==(const const_iterator&, const const_iterator&) = default;

   private:
    const RootList* list_;
    size_t index_;
  };

  RootList() = default;

  // InvalidArgument: more roots than the limit.
  static absl::StatusOr<RootList> FromVector(const std::vector<Root>& roots) {
    RootList list;
    RETURN_IF_ERROR(list.Assign(roots));
    return list;
  }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  // index < size(). The reference is valid until the list is changed.
  const Root& operator[](size_t index) const { return tree_.Get(index); }
  const_iterator begin() const { return {this, 0}; }
  const_iterator end() const { return {this, size_}; }
  std::vector<Root> ToVector() const {
    std::vector<Root> roots(size_);
    tree_.Read(0, absl::MakeSpan(roots));
    return roots;
  }

  // index < size().
  void Set(size_t index, const Root& root) { tree_.Set(index, root); }

  // False, and nothing is added, when the list is full.
  [[nodiscard]] bool push_back(const Root& root) {
    if (size_ >= Limit) return false;
    tree_.Set(size_++, root);
    return true;
  }

  // Appends `count` zero roots, in O(1). False, and nothing is added, when they do not fit.
  [[nodiscard]] bool AppendZeros(uint64_t count) {
    if (count > Limit - size_) return false;
    size_ += count;
    return true;
  }

  // Replaces the content; what equals the old one at its place stays shared and is not hashed again.
  // InvalidArgument, and nothing changes: more roots than the limit.
  absl::Status Assign(absl::Span<const Root> roots) {
    if (roots.size() > Limit) return OverLimitError(Limit, roots.size());
    tree_.Assign(roots);
    size_ = roots.size();
    return absl::OkStatus();
  }

  // hash_tree_root, for one hash.
  Root root() const { return MixInLength(tree_.root(), size_); }

  // By hash, so in O(1).
  friend bool operator==(const RootList& a, const RootList& b) {
    return a.size_ == b.size_ && a.tree_.root() == b.tree_.root();
  }

 private:
  ChunkTree tree_{kHeight};
  size_t size_ = 0;  // chunks from here on are zero
};

template <uint64_t Limit>
struct Codec<RootList<Limit>> {
  static constexpr size_t kFixedSize = 0;
  static size_t Size(const RootList<Limit>& list) { return list.size() * Root::kSize; }
  static uint8_t* Encode(const RootList<Limit>& list, uint8_t* out) {
    for (const Root& root : list.ToVector()) out = std::copy(root.data.begin(), root.data.end(), out);
    return out;
  }
  static absl::Status Decode(ByteSpan in, RootList<Limit>& out) {
    if (in.size() % Root::kSize != 0) return NotAMultipleError(Root::kSize, in.size());
    if (in.size() / Root::kSize > Limit) return OverLimitError(Limit, in.size() / Root::kSize);
    std::vector<Root> roots(in.size() / Root::kSize);
    for (size_t i = 0; i < roots.size(); ++i) {
      const ByteSpan part = in.subspan(i * Root::kSize, Root::kSize);
      std::copy(part.begin(), part.end(), roots[i].data.begin());
    }
    return out.Assign(roots);
  }
  static Root HashTreeRoot(const RootList<Limit>& list) { return list.root(); }
};

}  // namespace lean::ssz

#endif  // LEAN_COMMON_SSZ_ROOT_LIST_H_
