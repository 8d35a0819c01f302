// A plain growable row of bits, packed as SSZ packs them (bit i of a chunk is bit i % 8 of its byte i / 8). The working
// form of a Bitlist: to change many bits, take them out, change them, and assign them back. Thread compatible.
#ifndef LEAN_COMMON_SSZ_BITS_H_
#define LEAN_COMMON_SSZ_BITS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "common/bytes/bytes.h"

namespace lean::ssz {

class Bits {
 public:
  static constexpr size_t kBitsPerChunk = 256;

  Bits() = default;
  // `count` zero bits.
  explicit Bits(size_t count) { Resize(count); }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // index < size().
  bool operator[](size_t index) const { return (Byte(index) >> (index % 8) & 1) != 0; }
  void Set(size_t index, bool value) {
    uint8_t& byte = Byte(index);
    const uint8_t mask = static_cast<uint8_t>(1u << (index % 8));
    byte = static_cast<uint8_t>(value ? byte | mask : byte & ~mask);
  }

  // New bits are zero.
  void Resize(size_t count);
  void PushBack(bool value) {
    Resize(size_ + 1);
    if (value) Set(size_ - 1, true);
  }

  // Appends the bits [first, first + count) of other, which has them; other is not this object.
  void Append(const Bits& other, size_t first, size_t count);
  void Append(const Bits& other) { Append(other, 0, other.size()); }

  // The bits [first, first + count), which exist.
  Bits Slice(size_t first, size_t count) const;

  // How many of [first, first + count), which exist, are set.
  size_t CountOnes(size_t first, size_t count) const;
  size_t CountOnes() const { return CountOnes(0, size_); }

  // The bits in chunks; those past the end are zero.
  absl::Span<const Root> chunks() const { return chunks_; }
  // `count` bits of chunks.size() * 256 >= count; the rest is dropped.
  static Bits FromChunks(std::vector<Root> chunks, size_t count);

  friend bool operator==(const Bits&, const Bits&) = default;

 private:
  uint8_t& Byte(size_t index) { return chunks_[index / kBitsPerChunk].data[index % kBitsPerChunk / 8]; }
  const uint8_t& Byte(size_t index) const { return chunks_[index / kBitsPerChunk].data[index % kBitsPerChunk / 8]; }
  // Eight bits from `index` on, zero past the end.
  uint8_t ByteAt(size_t index) const;
  // Clears the bits past the end in the last chunk.
  void ClearTail();

  std::vector<Root> chunks_;  // exactly as many as size_ needs; bits past the end are zero
  size_t size_ = 0;
};

}  // namespace lean::ssz

#endif  // LEAN_COMMON_SSZ_BITS_H_
