// Roots by the definition alone, without any of the shortcuts of the code under test, and rows of bits from what a
// property test draws.
#ifndef LEAN_TESTS_COMMON_SSZ_NAIVE_ROOT_H_
#define LEAN_TESTS_COMMON_SSZ_NAIVE_ROOT_H_

#include <cstdint>
#include <vector>

#include "common/bytes/bytes.h"
#include "common/crypto/sha.h"
#include "common/ssz/bits.h"

namespace lean::ssz_test {

inline Root HashOf(const Root& left, const Root& right) {
  std::vector<uint8_t> message(left.data.begin(), left.data.end());
  message.insert(message.end(), right.data.begin(), right.data.end());
  return crypto::Sha256(message);
}

// Root of the tree of 2^height chunks, those after `chunks` being zero.
inline Root NaiveTreeRoot(const std::vector<Root>& chunks, int height, uint64_t first = 0) {
  if (height == 0) return first < chunks.size() ? chunks[first] : Root{};
  if (first >= chunks.size()) {
    const Root child = NaiveTreeRoot(chunks, height - 1, first);
    return HashOf(child, child);
  }
  return HashOf(NaiveTreeRoot(chunks, height - 1, first),
                NaiveTreeRoot(chunks, height - 1, first + (uint64_t{1} << (height - 1))));
}

inline Root NaiveListRoot(const std::vector<Root>& chunks, int height, uint64_t length) {
  Root chunk;
  for (size_t i = 0; i < 8; ++i) chunk.data[i] = static_cast<uint8_t>(length >> (8 * i));
  return HashOf(NaiveTreeRoot(chunks, height), chunk);
}

inline Root NaiveBitlistRoot(const std::vector<bool>& bits, int height) {
  std::vector<Root> chunks((bits.size() + 255) / 256);
  for (size_t i = 0; i < bits.size(); ++i) {
    if (bits[i]) chunks[i / 256].data[i % 256 / 8] |= static_cast<uint8_t>(1u << (i % 8));
  }
  return NaiveListRoot(chunks, height, bits.size());
}

inline ssz::Bits BitsOf(const std::vector<bool>& bools) {
  ssz::Bits bits;
  for (const bool bit : bools) bits.PushBack(bit);
  return bits;
}

}  // namespace lean::ssz_test

#endif  // LEAN_TESTS_COMMON_SSZ_NAIVE_ROOT_H_
