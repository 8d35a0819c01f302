#include "common/crypto/xmss/words.h"

#include <bit>
#include <cstring>

#include "absl/status/statusor.h"
#include "common/crypto/field/koala_bear.h"
#include "common/status/status_macros.h"

namespace lean::xmss {
namespace {

absl::StatusOr<uint32_t> RandomElement(RandomSource& random) {
  while (true) {
    std::array<uint8_t, 4> bytes;
    RETURN_IF_ERROR(random.Fill(absl::MakeSpan(bytes)));
    const uint32_t word = (bytes[0] | bytes[1] << 8 | bytes[2] << 16 | static_cast<uint32_t>(bytes[3]) << 24) >> 1;
    if (word < crypto::Fp::kModulus) return word;
  }
}

}  // namespace

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

absl::Status FillRandomElements(RandomSource& random, absl::Span<uint32_t> words) {
  for (uint32_t& word : words) {
    ASSIGN_OR_RETURN(word, RandomElement(random));
  }
  return absl::OkStatus();
}

}  // namespace lean::xmss
