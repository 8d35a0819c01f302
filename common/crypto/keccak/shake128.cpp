#include "common/crypto/keccak/shake128.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "common/crypto/keccak/permutation.h"

namespace lean::crypto {
namespace {

static_assert(std::endian::native == std::endian::little, "Keccak's words are little-endian");

struct OneLane {
  using Vector = uint64_t;
  static Vector Xor3(Vector a, Vector b, Vector c) { return a ^ b ^ c; }
  static Vector Chi(Vector a, Vector b, Vector c) { return a ^ (~b & c); }
  static Vector Rotate(Vector a, int bits) { return std::rotl(a, bits); }
  static Vector Broadcast(uint64_t constant) { return constant; }
};

void Absorb(const uint8_t (&block)[keccak::kShake128RateBytes], uint64_t (&state)[keccak::kStateWords]) {
  for (size_t i = 0; i < keccak::kShake128RateBytes / 8; ++i) {
    uint64_t word;
    std::memcpy(&word, block + 8 * i, sizeof(word));
    state[i] ^= word;
  }
  keccak::Permute<OneLane>(state);
}

}  // namespace

void Shake128(absl::Span<const uint8_t> input, absl::Span<uint8_t> output) {
  constexpr size_t kRate = keccak::kShake128RateBytes;
  uint64_t state[keccak::kStateWords] = {};
  uint8_t block[kRate];
  for (; input.size() >= kRate; input.remove_prefix(kRate)) {
    std::memcpy(block, input.data(), kRate);
    Absorb(block, state);
  }
  std::memset(block, 0, kRate);
  std::copy(input.begin(), input.end(), block);
  block[input.size()] = keccak::kShakeDomain;
  block[kRate - 1] |= 0x80;
  Absorb(block, state);
  while (true) {
    const size_t taken = std::min(output.size(), kRate);
    if (taken > 0) std::memcpy(output.data(), state, taken);
    output.remove_prefix(taken);
    if (output.empty()) break;
    keccak::Permute<OneLane>(state);
  }
  OPENSSL_cleanse(state, sizeof(state));
  OPENSSL_cleanse(block, sizeof(block));
}

}  // namespace lean::crypto
