#include "common/ssz/merkle.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "common/crypto/sha.h"
#include "common/ssz/uint64_le.h"

namespace lean::ssz {

const Root& ZeroRoot(int height) {
  static const std::array<Root, 64> roots = [] {
    std::array<Root, 64> table{};
    for (size_t i = 1; i < table.size(); ++i) table[i] = crypto::HashPair(table[i - 1], table[i - 1]);
    return table;
  }();
  return roots[static_cast<size_t>(height)];
}

Root MerkleRoot(absl::Span<Root> chunks, int height) {
  if (chunks.empty()) return ZeroRoot(height);
  size_t count = chunks.size();
  for (int level = 0; level < height; ++level) {
    const size_t pairs = count / 2;
    crypto::HashPairs(chunks.first(2 * pairs), chunks.first(pairs));
    if (count % 2 == 1) chunks[pairs] = crypto::HashPair(chunks[count - 1], ZeroRoot(level));
    count = pairs + count % 2;
  }
  return chunks[0];
}

Root MerkleRootOfBytes(ByteSpan bytes) {
  std::vector<Root> chunks((bytes.size() + Root::kSize - 1) / Root::kSize);
  for (size_t i = 0; i < chunks.size(); ++i) {
    const ByteSpan part = bytes.subspan(i * Root::kSize, Root::kSize);
    std::copy(part.begin(), part.end(), chunks[i].data.begin());
  }
  return MerkleRoot(absl::MakeSpan(chunks), TreeHeight(chunks.size()));
}

Root MixInLength(const Root& root, uint64_t length) {
  Root chunk;
  StoreUint64(length, chunk.data.data());
  return crypto::HashPair(root, chunk);
}

}  // namespace lean::ssz
