#include "common/crypto/xmss/words.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "common/crypto/field/koala_bear.h"

namespace lean::xmss {

static_assert(std::endian::native == std::endian::little, "words are copied as they stand in memory");

bool ReadWords(ByteSpan bytes, absl::Span<uint32_t> words) {
  std::memcpy(words.data(), bytes.data(), 4 * words.size());
  return std::all_of(words.begin(), words.end(), [](uint32_t word) { return word < crypto::Fp::kModulus; });
}

void WriteWords(absl::Span<const uint32_t> words, absl::Span<uint8_t> bytes) {
  std::memcpy(bytes.data(), words.data(), 4 * words.size());
}

}  // namespace lean::xmss
