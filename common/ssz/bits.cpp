#include "common/ssz/bits.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace lean::ssz {

void Bits::Resize(size_t count) {
  const bool shorter = count < size_;
  size_ = count;
  chunks_.resize((count + kBitsPerChunk - 1) / kBitsPerChunk);
  if (shorter) ClearTail();
}

void Bits::ClearTail() {
  const size_t used = size_ % kBitsPerChunk;
  if (used == 0) return;
  std::array<uint8_t, Root::kSize>& bytes = chunks_.back().data;
  if (used % 8 != 0) bytes[used / 8] &= static_cast<uint8_t>((1u << (used % 8)) - 1);
  std::fill(bytes.begin() + (used + 7) / 8, bytes.end(), uint8_t{0});
}

uint8_t Bits::ByteAt(size_t index) const {
  if (index >= size_) return 0;
  const size_t shift = index % 8;
  unsigned value = Byte(index);
  if (shift != 0) {
    value >>= shift;
    const size_t next = index - shift + 8;
    if (next < size_) value |= static_cast<unsigned>(Byte(next)) << (8 - shift);
  }
  return static_cast<uint8_t>(value);
}

void Bits::Append(const Bits& other, size_t first, size_t count) {
  const size_t begin = size_;
  Resize(size_ + count);
  // The votes of a full registry are whole chunks, and there may be many of them.
  if (begin % kBitsPerChunk == 0 && first % kBitsPerChunk == 0) {
    std::copy_n(other.chunks_.begin() + static_cast<ptrdiff_t>(first / kBitsPerChunk),
                chunks_.size() - begin / kBitsPerChunk,
                chunks_.begin() + static_cast<ptrdiff_t>(begin / kBitsPerChunk));
    ClearTail();
    return;
  }
  const size_t shift = begin % 8;
  for (size_t done = 0; done < count; done += 8) {
    unsigned value = other.ByteAt(first + done);
    if (count - done < 8) value &= (1u << (count - done)) - 1;
    Byte(begin + done) |= static_cast<uint8_t>(value << shift);
    // The upper part goes to the next byte, where there is one.
    if (shift != 0 && begin + done - shift + 8 < size_)
      Byte(begin + done - shift + 8) |= static_cast<uint8_t>(value >> (8 - shift));
  }
}

Bits Bits::Slice(size_t first, size_t count) const {
  Bits slice;
  slice.Append(*this, first, count);
  return slice;
}

size_t Bits::CountOnes(size_t first, size_t count) const {
  size_t ones = 0;
  for (size_t done = 0; done < count; done += 8) {
    unsigned value = ByteAt(first + done);
    if (count - done < 8) value &= (1u << (count - done)) - 1;
    ones += static_cast<size_t>(std::popcount(value));
  }
  return ones;
}

Bits Bits::FromChunks(std::vector<Root> chunks, size_t count) {
  Bits bits;
  bits.chunks_ = std::move(chunks);
  bits.chunks_.resize((count + kBitsPerChunk - 1) / kBitsPerChunk);
  bits.size_ = count;
  bits.ClearTail();
  return bits;
}

}  // namespace lean::ssz
