#include "common/crypto/xmss/words.h"

#include <bit>
#include <cstring>

#include "common/crypto/field/koala_bear.h"

namespace lean::xmss {

static_assert(std::endian::native == std::endian::little, "words are copied as they stand in memory");

bool ReadWords(ByteSpan bytes, absl::Span<uint32_t> words) {
  std::memcpy(words.data(), bytes.data(), 4 * words.size());
  // Without an early end, so that the loop is done in vectors.
  uint32_t beyond = 0;
  for (const uint32_t word : words) beyond |= word >= crypto::Fp::kModulus ? 1 : 0;
  return beyond == 0;
}

void WriteWords(absl::Span<const uint32_t> words, absl::Span<uint8_t> bytes) {
  std::memcpy(bytes.data(), words.data(), 4 * words.size());
}

}  // namespace lean::xmss
