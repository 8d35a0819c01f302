// Keccak-f[1600] (FIPS 202, section 3) over any type that stands for 64-bit words: one word, or a vector of them that
// permutes as many states at once.
#ifndef LEAN_COMMON_CRYPTO_LANES_TEMPLATES_KECCAK_H_
#define LEAN_COMMON_CRYPTO_LANES_TEMPLATES_KECCAK_H_

#include <cstddef>
#include <cstdint>

namespace lean::crypto::keccak {

inline constexpr size_t kStateWords = 25;
inline constexpr size_t kShake128RateBytes = 168;
inline constexpr uint8_t kShakeDomain = 0x1f;  // the suffix 1111 and the first bit of the padding

inline constexpr uint64_t kRoundConstants[24] = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000, 0x000000000000808b,
    0x0000000080000001, 0x8000000080008081, 0x8000000000008009, 0x000000000000008a, 0x0000000000000088,
    0x0000000080008009, 0x000000008000000a, 0x000000008000808b, 0x800000000000008b, 0x8000000000008089,
    0x8000000000008003, 0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008};

// Left rotation of word x + 5y in step rho.
inline constexpr int kRotations[kStateWords] = {0,  1,  62, 28, 27, 36, 44, 6,  55, 20, 3,  10, 43,
                                                25, 39, 41, 45, 15, 21, 8,  18, 2,  61, 56, 14};

// Lane::Vector is one or more words; Xor3(a, b, c) = a ^ b ^ c, Chi(a, b, c) = a ^ (~b & c), Rotate(a, n) = rotl(a, n),
// Broadcast(constant). The state stays in registers where there are enough, so all is inlined and unrolled.
template <typename Lane>
[[gnu::always_inline]] inline void Permute(typename Lane::Vector (&state)[kStateWords]) {
  using Vector = typename Lane::Vector;
  for (const uint64_t constant : kRoundConstants) {
    Vector column[5], theta[5], next[kStateWords];
#pragma GCC unroll 5
    for (size_t x = 0; x < 5; ++x) {
      column[x] = Lane::Xor3(Lane::Xor3(state[x], state[x + 5], state[x + 10]), state[x + 15], state[x + 20]);
    }
#pragma GCC unroll 5
    for (size_t x = 0; x < 5; ++x) theta[x] = column[(x + 4) % 5] ^ Lane::Rotate(column[(x + 1) % 5], 1);
      // Row after row: rho and pi bring word (3y + x, x) to (x, y). Few words are live at a time.
#pragma GCC unroll 5
    for (size_t y = 0; y < 5; ++y) {
      Vector row[5];
#pragma GCC unroll 5
      for (size_t x = 0; x < 5; ++x) {
        const size_t from = (3 * y + x) % 5;
        row[x] = Lane::Rotate(state[from + 5 * x] ^ theta[from], kRotations[from + 5 * x]);
      }
#pragma GCC unroll 5
      for (size_t x = 0; x < 5; ++x) next[x + 5 * y] = Lane::Chi(row[x], row[(x + 1) % 5], row[(x + 2) % 5]);
    }
#pragma GCC unroll 25
    for (size_t i = 0; i < kStateWords; ++i) state[i] = next[i];
    state[0] = state[0] ^ Lane::Broadcast(constant);  // iota
  }
}

}  // namespace lean::crypto::keccak

#endif  // LEAN_COMMON_CRYPTO_LANES_TEMPLATES_KECCAK_H_
