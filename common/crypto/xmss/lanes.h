// Field elements in lanes: the same word of kLanes permutations side by side, as the vector kernels take them.
#ifndef LEAN_COMMON_CRYPTO_XMSS_LANES_H_
#define LEAN_COMMON_CRYPTO_XMSS_LANES_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "common/crypto/field/koala_bear.h"

namespace lean::xmss {

using crypto::Fp;

inline constexpr size_t kLanes = 16;

struct alignas(64) Row {
  std::array<Fp, kLanes> lane;
};

// The state of kLanes permutations of kWidth words.
template <size_t kWidth>
using Block = std::array<Row, kWidth>;

inline void Fill(Row& row, Fp value) { row.lane.fill(value); }

inline void Add(Row& row, const Row& other) {
  for (size_t i = 0; i < kLanes; ++i) row.lane[i] += other.lane[i];
}

inline void Add(Row& row, Fp value) {
  for (size_t i = 0; i < kLanes; ++i) row.lane[i] += value;
}

// From words that were put into the row as they are (Fp::FromRaw of a canonical word) to Montgomery form.
inline void ToMontgomery(Row& row) {
  constexpr Fp kRadix = Fp::FromUint64(uint64_t{1} << 32);
  for (size_t i = 0; i < kLanes; ++i) row.lane[i] *= kRadix;
}

// One permutation of Poseidon2 in every lane.
void PermuteLanes(Block<16>& state);
void PermuteLanes(Block<24>& state);

// Keccak-f[1600] in lanes: word i of lane j at [i][j].
inline constexpr size_t kKeccakLanes = 8;
using KeccakState = std::array<std::array<uint64_t, kKeccakLanes>, 25>;

void PermuteLanes(KeccakState& state);

}  // namespace lean::xmss

#endif  // LEAN_COMMON_CRYPTO_XMSS_LANES_H_
