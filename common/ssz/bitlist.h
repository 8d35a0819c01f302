// List of at most Limit bits, persistent like RootList: copying is O(1), and a change with the new hash_tree_root costs
// the tree's height in hashes, however long the list is. Sharing and thread safety: see chunk_tree.h.
#ifndef LEAN_COMMON_SSZ_BITLIST_H_
#define LEAN_COMMON_SSZ_BITLIST_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/ssz/bits.h"
#include "common/ssz/chunk_tree.h"
#include "common/ssz/ssz.h"
#include "common/status/status_macros.h"

namespace lean::ssz {

template <uint64_t Limit>
class Bitlist {
 public:
  using value_type = bool;

  static constexpr uint64_t kLimit = Limit;
  static constexpr int kHeight = TreeHeight((Limit + Bits::kBitsPerChunk - 1) / Bits::kBitsPerChunk);
  static_assert(kHeight >= ChunkTree::kLeafHeight);

  Bitlist() = default;

  // InvalidArgument: more bits than the limit.
  static absl::StatusOr<Bitlist> FromBits(const Bits& bits) {
    Bitlist list;
    RETURN_IF_ERROR(list.Assign(bits));
    return list;
  }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  // index < size().
  bool operator[](size_t index) const {
    const Root& chunk = tree_.Get(index / Bits::kBitsPerChunk);
    return (chunk.data[index % Bits::kBitsPerChunk / 8] >> (index % 8) & 1) != 0;
  }
  // A copy of all bits, or of [first, first + count), which exist.
  Bits ToBits() const { return ToBits(0, size_); }
  Bits ToBits(size_t first, size_t count) const {
    if (count == 0) return Bits();
    const size_t first_chunk = first / Bits::kBitsPerChunk;
    const size_t chunk_count = (first + count - 1) / Bits::kBitsPerChunk - first_chunk + 1;
    std::vector<Root> chunks(chunk_count);
    tree_.Read(first_chunk, absl::MakeSpan(chunks));
    const size_t skipped = first % Bits::kBitsPerChunk;
    Bits bits = Bits::FromChunks(std::move(chunks), skipped + count);
    return skipped == 0 ? bits : bits.Slice(skipped, count);
  }

  // index < size().
  void Set(size_t index, bool value) {
    Root chunk = tree_.Get(index / Bits::kBitsPerChunk);
    uint8_t& byte = chunk.data[index % Bits::kBitsPerChunk / 8];
    const uint8_t mask = static_cast<uint8_t>(1u << (index % 8));
    byte = static_cast<uint8_t>(value ? byte | mask : byte & ~mask);
    tree_.Set(index / Bits::kBitsPerChunk, chunk);
  }

  // False, and nothing is added, when the list is full.
  [[nodiscard]] bool push_back(bool value) {
    if (size_ >= Limit) return false;
    ++size_;
    if (value) Set(size_ - 1, true);
    return true;
  }

  // Appends `count` zero bits, in O(1). False, and nothing is added, when they do not fit.
  [[nodiscard]] bool AppendZeros(uint64_t count) {
    if (count > Limit - size_) return false;
    size_ += count;
    return true;
  }

  // Replaces the content; what equals the old one at its place stays shared and is not hashed again.
  // InvalidArgument, and nothing changes: more bits than the limit.
  absl::Status Assign(const Bits& bits) {
    if (bits.size() > Limit) return OverLimitError(Limit, bits.size());
    tree_.Assign(bits.chunks());
    size_ = bits.size();
    return absl::OkStatus();
  }

  // hash_tree_root, for one hash.
  Root root() const { return MixInLength(tree_.root(), size_); }

  // By hash, so in O(1).
  friend bool operator==(const Bitlist& a, const Bitlist& b) {
    return a.size_ == b.size_ && a.tree_.root() == b.tree_.root();
  }

 private:
  ChunkTree tree_{kHeight};
  size_t size_ = 0;  // bits from here on are zero
};

template <uint64_t Limit>
struct Codec<Bitlist<Limit>> {
  static constexpr size_t kFixedSize = 0;
  // One bit more than the list has: the highest set bit marks the length.
  static size_t Size(const Bitlist<Limit>& list) { return list.size() / 8 + 1; }
  static uint8_t* Encode(const Bitlist<Limit>& list, uint8_t* out) {
    Bits bits = list.ToBits();
    bits.PushBack(true);
    size_t left = bits.size() / 8 + (bits.size() % 8 != 0 ? 1 : 0);
    for (const Root& chunk : bits.chunks()) {
      const size_t count = std::min(left, Root::kSize);
      out = std::copy_n(chunk.data.begin(), count, out);
      left -= count;
    }
    return out;
  }
  static absl::Status Decode(ByteSpan in, Bitlist<Limit>& out) {
    if (in.empty() || in.back() == 0) return BitlistEndError();
    const uint64_t size = (in.size() - 1) * 8 + static_cast<uint64_t>(std::bit_width(in.back())) - 1;
    if (size > Limit) return OverLimitError(Limit, size);
    std::vector<Root> chunks((in.size() + Root::kSize - 1) / Root::kSize);
    for (size_t i = 0; i < chunks.size(); ++i) {
      const ByteSpan part = in.subspan(i * Root::kSize, Root::kSize);
      std::copy(part.begin(), part.end(), chunks[i].data.begin());
    }
    return out.Assign(Bits::FromChunks(std::move(chunks), size));
  }
  static Root HashTreeRoot(const Bitlist<Limit>& list) { return list.root(); }
};

}  // namespace lean::ssz

#endif  // LEAN_COMMON_SSZ_BITLIST_H_
