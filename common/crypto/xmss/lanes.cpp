#include "common/crypto/xmss/lanes.h"

#include "common/crypto/keccak/permutation.h"
#include "common/crypto/poseidon2/poseidon2.h"

namespace lean::xmss {
namespace {

template <size_t kWidth>
void PermuteEach(Block<kWidth>& state) {
  for (size_t lane = 0; lane < kLanes; ++lane) {
    std::array<Fp, kWidth> one;
    for (size_t i = 0; i < kWidth; ++i) one[i] = state[i].lane[lane];
    crypto::poseidon2::Permute(one);
    for (size_t i = 0; i < kWidth; ++i) state[i].lane[lane] = one[i];
  }
}

struct OneWord {
  using Vector = uint64_t;
  static uint64_t Xor3(uint64_t a, uint64_t b, uint64_t c) { return a ^ b ^ c; }
  static uint64_t Chi(uint64_t a, uint64_t b, uint64_t c) { return a ^ (~b & c); }
  static uint64_t Rotate(uint64_t a, int n) { return n == 0 ? a : a << n | a >> (64 - n); }
  static uint64_t Broadcast(uint64_t a) { return a; }
};

}  // namespace

void PermuteLanes(Block<16>& state) { PermuteEach(state); }
void PermuteLanes(Block<24>& state) { PermuteEach(state); }

void PermuteLanes(KeccakState& state) {
  for (size_t lane = 0; lane < kKeccakLanes; ++lane) {
    uint64_t one[25];
    for (size_t i = 0; i < 25; ++i) one[i] = state[i][lane];
    crypto::keccak::Permute<OneWord>(one);
    for (size_t i = 0; i < 25; ++i) state[i][lane] = one[i];
  }
}

}  // namespace lean::xmss
