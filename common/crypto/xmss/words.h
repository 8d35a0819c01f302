// Field elements in encodings: canonical words, which are uint32_t below the modulus. Only the hash functions use
// Montgomery form.
#ifndef LEAN_COMMON_CRYPTO_XMSS_WORDS_H_
#define LEAN_COMMON_CRYPTO_XMSS_WORDS_H_

#include <array>
#include <cstdint>

#include "absl/types/span.h"
#include "common/bytes/bytes.h"
#include "common/crypto/xmss/scheme.h"

namespace lean::xmss {

using Node = std::array<uint32_t, kMaxHashLen>;  // a hash; words from the scheme's hash_len() on are zero
using Parameter = std::array<uint32_t, kParameterLen>;
using Randomness = std::array<uint32_t, kMaxRandomnessLen>;  // words from randomness_len() on are zero

// Little-endian words of `bytes`, which holds 4 * words.size() bytes. False: a word is not canonical; `words` is then
// unspecified.
bool ReadWords(ByteSpan bytes, absl::Span<uint32_t> words);

// The reverse, into 4 * words.size() bytes.
void WriteWords(absl::Span<const uint32_t> words, absl::Span<uint8_t> bytes);

}  // namespace lean::xmss

#endif  // LEAN_COMMON_CRYPTO_XMSS_WORDS_H_
