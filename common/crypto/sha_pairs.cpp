#include "common/crypto/sha_pairs.h"

#include <immintrin.h>

#include <array>

namespace lean::crypto {
namespace {

constexpr size_t kMessageBytes = 64;
constexpr size_t kDigestBytes = 32;

// FIPS 180-4, section 4.2.2.
alignas(16) constexpr std::array<uint32_t, 64> kConstants = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

constexpr uint32_t RotateRight(uint32_t word, int bits) { return word >> bits | word << (32 - bits); }

// The words that the second block of every such message (the end marker, zeros, and its length of 512 bits) adds in
// each round, with the constants.
constexpr std::array<uint32_t, 64> MakePaddingWords() {
  std::array<uint32_t, 64> words{};
  words[0] = 0x80000000;
  words[15] = 512;
  for (size_t i = 16; i < words.size(); ++i) {
    const uint32_t s0 = RotateRight(words[i - 15], 7) ^ RotateRight(words[i - 15], 18) ^ words[i - 15] >> 3;
    const uint32_t s1 = RotateRight(words[i - 2], 17) ^ RotateRight(words[i - 2], 19) ^ words[i - 2] >> 10;
    words[i] = words[i - 16] + s0 + words[i - 7] + s1;
  }
  for (size_t i = 0; i < words.size(); ++i) words[i] += kConstants[i];
  return words;
}
alignas(16) constexpr std::array<uint32_t, 64> kPaddingWords = MakePaddingWords();

// The state of kLanes messages in the order of the instructions: words A, B, E, F and C, D, G, H from the highest on.
template <int kLanes>
struct ShaState {
  __m128i abef[kLanes];
  __m128i cdgh[kLanes];
};

__m128i FourWords(const std::array<uint32_t, 64>& words, int group) {
  return _mm_load_si128(reinterpret_cast<const __m128i*>(words.data()) + group);
}

// FIPS 180-4, section 5.3.3.
__m128i FirstAbef() {
  return _mm_set_epi32(0x6a09e667, static_cast<int>(0xbb67ae85), 0x510e527f, static_cast<int>(0x9b05688c));
}
__m128i FirstCdgh() { return _mm_set_epi32(0x3c6ef372, static_cast<int>(0xa54ff53a), 0x1f83d9ab, 0x5be0cd19); }

// Reverses the bytes of each word.
__m128i Reversed(__m128i words) {
  return _mm_shuffle_epi8(words, _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));
}

// Four rounds of one message with these words, which include the constants.
void FourRounds(__m128i& abef, __m128i& cdgh, __m128i words) {
  cdgh = _mm_sha256rnds2_epu32(cdgh, abef, words);
  abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(words, 0x0e));
}

template <int kLanes>
void CompressMessage(const uint8_t* messages, ShaState<kLanes>& state) {
  __m128i words[kLanes][4];
  for (int lane = 0; lane < kLanes; ++lane) {
    const auto* in = reinterpret_cast<const __m128i*>(messages + kMessageBytes * static_cast<size_t>(lane));
    for (int i = 0; i < 4; ++i) words[lane][i] = Reversed(_mm_loadu_si128(in + i));
    state.abef[lane] = FirstAbef();
    state.cdgh[lane] = FirstCdgh();
  }
#pragma GCC unroll 16
  for (int group = 0; group < 16; ++group) {
    for (int lane = 0; lane < kLanes; ++lane) {
      __m128i(&w)[4] = words[lane];
      FourRounds(state.abef[lane], state.cdgh[lane], _mm_add_epi32(w[group % 4], FourWords(kConstants, group)));
      if (group >= 12) continue;
      // The words of the group after the next three take the place of these.
      const __m128i w7 = _mm_alignr_epi8(w[(group + 3) % 4], w[(group + 2) % 4], 4);
      w[group % 4] = _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(w[group % 4], w[(group + 1) % 4]), w7),
                                          w[(group + 3) % 4]);
    }
  }
  for (int lane = 0; lane < kLanes; ++lane) {
    state.abef[lane] = _mm_add_epi32(state.abef[lane], FirstAbef());
    state.cdgh[lane] = _mm_add_epi32(state.cdgh[lane], FirstCdgh());
  }
}

template <int kLanes>
void CompressPadding(ShaState<kLanes>& state) {
  const ShaState<kLanes> before = state;
#pragma GCC unroll 16
  for (int group = 0; group < 16; ++group) {
    const __m128i words = FourWords(kPaddingWords, group);
    for (int lane = 0; lane < kLanes; ++lane) FourRounds(state.abef[lane], state.cdgh[lane], words);
  }
  for (int lane = 0; lane < kLanes; ++lane) {
    state.abef[lane] = _mm_add_epi32(state.abef[lane], before.abef[lane]);
    state.cdgh[lane] = _mm_add_epi32(state.cdgh[lane], before.cdgh[lane]);
  }
}

template <int kLanes>
void HashMessages(const uint8_t* messages, uint8_t* digests) {
  ShaState<kLanes> state;
  CompressMessage<kLanes>(messages, state);
  CompressPadding<kLanes>(state);
  for (int lane = 0; lane < kLanes; ++lane) {
    const __m128i feba = _mm_shuffle_epi32(state.abef[lane], 0x1b);
    const __m128i dchg = _mm_shuffle_epi32(state.cdgh[lane], 0xb1);
    auto* out = reinterpret_cast<__m128i*>(digests + kDigestBytes * static_cast<size_t>(lane));
    _mm_storeu_si128(out, Reversed(_mm_blend_epi16(feba, dchg, 0xf0)));
    _mm_storeu_si128(out + 1, Reversed(_mm_alignr_epi8(dchg, feba, 8)));
  }
}

}  // namespace

void HashPairsWithExtensions(const uint8_t* messages, size_t count, uint8_t* digests) {
  size_t i = 0;
  for (; i + 2 <= count; i += 2) HashMessages<2>(messages + kMessageBytes * i, digests + kDigestBytes * i);
  if (i < count) HashMessages<1>(messages + kMessageBytes * i, digests + kDigestBytes * i);
}

}  // namespace lean::crypto
