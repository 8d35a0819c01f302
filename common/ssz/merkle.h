// Merkle trees over 32-byte chunks, as SSZ defines hash_tree_root. Thread safe.
// Source: consensus-specs ssz/simple-serialize.md; leanSpec 050fa4a, subspecs/ssz/merkleization.py.
#ifndef LEAN_COMMON_SSZ_MERKLE_H_
#define LEAN_COMMON_SSZ_MERKLE_H_

#include <bit>
#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "common/bytes/bytes.h"

namespace lean::ssz {

// Height of the tree over `chunks` leaves: the smallest h with 2^h >= chunks.
constexpr int TreeHeight(uint64_t chunks) { return chunks <= 1 ? 0 : static_cast<int>(std::bit_width(chunks - 1)); }

// Root of a tree of 2^height zero chunks; height is at most 63.
const Root& ZeroRoot(int height);

// Root of the tree of 2^height leaves that begins with `chunks` (at most 2^height) and goes on with zero chunks.
// Works in place: the chunks are overwritten.
Root MerkleRoot(absl::Span<Root> chunks, int height);

// Root of the bytes cut into chunks, the last one filled up with zeros, in the smallest tree that holds them.
Root MerkleRootOfBytes(ByteSpan bytes);

// Root of a list: the root of its elements with their number.
Root MixInLength(const Root& root, uint64_t length);

}  // namespace lean::ssz

#endif  // LEAN_COMMON_SSZ_MERKLE_H_
