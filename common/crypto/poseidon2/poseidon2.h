// Poseidon2 over KoalaBear (x^3, 4 + 4 full rounds, 20 or 23 partial rounds), one permutation at a time.
#ifndef LEAN_COMMON_CRYPTO_POSEIDON2_POSEIDON2_H_
#define LEAN_COMMON_CRYPTO_POSEIDON2_POSEIDON2_H_

#include <array>

#include "absl/types/span.h"
#include "common/crypto/field/koala_bear.h"

namespace lean::crypto::poseidon2 {

void Permute(std::array<Fp, 16>& state);
void Permute(std::array<Fp, 24>& state);

// leanSig's compression: `input` (at most 16 or 24 words, zero-padded) is permuted and added to itself; `output` takes
// the first words of the sum, and may overlap `input`.
void Compress16(absl::Span<const Fp> input, absl::Span<Fp> output);
void Compress24(absl::Span<const Fp> input, absl::Span<Fp> output);

}  // namespace lean::crypto::poseidon2

#endif  // LEAN_COMMON_CRYPTO_POSEIDON2_POSEIDON2_H_
