// Poseidon2 over lanes: as many independent permutations as a lane type holds, one word of all states in a vector.
#ifndef LEAN_COMMON_CRYPTO_LANES_TEMPLATES_PERMUTATION_H_
#define LEAN_COMMON_CRYPTO_LANES_TEMPLATES_PERMUTATION_H_

#include <cstddef>
#include <cstdint>

#include "common/crypto/lanes/templates/arithmetic.h"
#include "common/crypto/poseidon2/constants.h"

namespace lean::crypto::lanes {
namespace {

// Round constants in Montgomery form, shifted as SBox wants them.
template <size_t kWidth>
struct RoundConstants {
  static constexpr size_t kPartialRounds = poseidon2::Constants<kWidth>::kPartialRounds;
  uint32_t initial[poseidon2::kHalfFullRounds][kWidth];
  uint32_t internal[kPartialRounds];
  uint32_t terminal[poseidon2::kHalfFullRounds][kWidth];
};

template <size_t kWidth>
constexpr RoundConstants<kWidth> MakeRoundConstants(uint32_t offset) {
  using Constants = poseidon2::Constants<kWidth>;
  RoundConstants<kWidth> result{};
  for (size_t r = 0; r < poseidon2::kHalfFullRounds; ++r) {
    for (size_t i = 0; i < kWidth; ++i) {
      result.initial[r][i] = RawOf(Constants::kInitial[r][i]) + offset;
      result.terminal[r][i] = RawOf(Constants::kTerminal[r][i]) + offset;
    }
  }
  for (size_t r = 0; r < Constants::kPartialRounds; ++r) {
    result.internal[r] = RawOf(Constants::kInternal[r]) + offset;
  }
  return result;
}

template <typename Lane, size_t kWidth>
inline constexpr RoundConstants<kWidth> kRoundConstants = MakeRoundConstants<kWidth>(Lane::kSignedProducts ? -kP : 0);

// The matrix circ(2M, M, ..., M), M = [[2,3,1,1],[1,2,3,1],[1,1,2,3],[3,1,1,2]]: since M is linear, a block's image is
// M (block + sum of all blocks).
template <typename Lane, size_t kWidth>
LEAN_LANES_INLINE void ExternalLayer(typename Lane::Vector (&state)[kWidth]) {
  using Vector = typename Lane::Vector;
#pragma GCC unroll 4
  for (size_t j = 0; j < 4; ++j) {
    Vector sum = state[j];
#pragma GCC unroll 6
    for (size_t i = j + 4; i < kWidth; i += 4) sum = Add<Lane>(sum, state[i]);
#pragma GCC unroll 6
    for (size_t i = j; i < kWidth; i += 4) state[i] = Add<Lane>(state[i], sum);
  }
#pragma GCC unroll 6
  for (size_t i = 0; i < kWidth; i += 4) {
    const Vector a = state[i], b = state[i + 1], c = state[i + 2], d = state[i + 3];
    const Vector ab = Add<Lane>(a, b), cd = Add<Lane>(c, d);
    const Vector total = Add<Lane>(ab, cd);
    const Vector total_b = Add<Lane>(total, b), total_d = Add<Lane>(total, d);
    state[i] = Add<Lane>(total_b, ab);
    state[i + 1] = Add<Lane>(total_b, Add<Lane>(c, c));
    state[i + 2] = Add<Lane>(total_d, cd);
    state[i + 3] = Add<Lane>(total_d, Add<Lane>(a, a));
  }
}

template <typename Lane, size_t kWidth>
LEAN_LANES_INLINE void FullRounds(const uint32_t (&constants)[poseidon2::kHalfFullRounds][kWidth],
                                  typename Lane::Vector (&state)[kWidth]) {
#pragma GCC unroll 1
  for (size_t r = 0; r < poseidon2::kHalfFullRounds; ++r) {
#pragma GCC unroll 24
    for (size_t i = 0; i < kWidth; ++i) state[i] = SBox<Lane>(state[i], Broadcast<Lane>(constants[r][i]));
    ExternalLayer<Lane>(state);
  }
}

// The partial rounds map word 0 to u = sbox(word 0), and then all words to s_i' = S + d_i s_i, S being the sum of all.
// Where d_j = -d_i =: -a, the half sum e and half difference f of words i and j follow e' = S + a f and f' = a e, so
//   e'' = S' + a^2 e:
// a pair costs one product and one addition in a round rather than two, and is one term of the next sum rather than two
// (2e). Most diagonal entries come in such pairs. A pair is held as e of this round and e of the one before, for which
// f / a stands in the first round. d_0 = -2 makes word 0's part plain: with T = S - u, s_0' = T - u.
template <size_t kWidth>
struct DiagonalPairs {
  size_t pairs = 0, singles = 0;
  size_t plus[kWidth / 2] = {}, minus[kWidth / 2] = {};
  size_t single[kWidth] = {};
};

template <size_t kWidth>
constexpr DiagonalPairs<kWidth> FindPairs() {
  const auto& diagonal = poseidon2::Constants<kWidth>::kDiagonal;
  DiagonalPairs<kWidth> result;
  bool used[kWidth] = {true};
  for (size_t i = 1; i < kWidth; ++i) {
    if (used[i]) continue;
    size_t partner = 0;
    for (size_t j = i + 1; j < kWidth; ++j) {
      if (!used[j] && diagonal[i] + diagonal[j] == kP) partner = j;
    }
    if (partner == 0) {
      result.single[result.singles++] = i;
      continue;
    }
    used[partner] = true;
    result.plus[result.pairs] = i;
    result.minus[result.pairs++] = partner;
  }
  return result;
}

template <typename Lane, size_t kWidth>
struct PartialRounds {
  using Vector = typename Lane::Vector;
  static constexpr auto& kDiagonal = poseidon2::Constants<kWidth>::kDiagonal;
  static constexpr DiagonalPairs<kWidth> kPairs = FindPairs<kWidth>();
  static_assert(kDiagonal[0] == kP - 2);

  template <size_t k>
  LEAN_LANES_INLINE void EnterPairs(const Vector (&state)[kWidth]) {
    if constexpr (k < kPairs.pairs) {
      constexpr uint32_t kHalfInverse = Inverse(Product(2, kDiagonal[kPairs.plus[k]]));
      const Vector plus = state[kPairs.plus[k]], minus = state[kPairs.minus[k]];
      current[k] = DivideByPowerOfTwo<Lane, 1>(Add<Lane>(plus, minus));
      previous[k] = MulByConstant<Lane, kHalfInverse>(Sub<Lane>(plus, minus));
      EnterPairs<k + 1>(state);
    }
  }
  template <size_t k>
  LEAN_LANES_INLINE static void LeavePairs(const Vector* now, const Vector* before, Vector (&state)[kWidth]) {
    if constexpr (k < kPairs.pairs) {
      constexpr uint32_t kFactor = kDiagonal[kPairs.plus[k]];
      const Vector difference = MulByConstant<Lane, kFactor>(before[k]);
      state[kPairs.plus[k]] = Add<Lane>(now[k], difference);
      state[kPairs.minus[k]] = Sub<Lane>(now[k], difference);
      LeavePairs<k + 1>(now, before, state);
    }
  }
  template <size_t k>
  LEAN_LANES_INLINE static void AdvancePairs(Vector sum, Vector* before) {
    if constexpr (k < kPairs.pairs) {
      constexpr uint32_t kFactor = kDiagonal[kPairs.plus[k]];
      before[k] = AddMultiple<Lane, Product(kFactor, kFactor)>(sum, before[k]);
      AdvancePairs<k + 1>(sum, before);
    }
  }
  template <size_t k>
  LEAN_LANES_INLINE void AdvanceSingles(Vector sum) {
    if constexpr (k < kPairs.singles) {
      single[k] = AddMultiple<Lane, kDiagonal[kPairs.single[k]]>(sum, single[k]);
      AdvanceSingles<k + 1>(sum);
    }
  }
  LEAN_LANES_INLINE void Round(uint32_t constant, const Vector* now, Vector* before) {
    const Vector cubed = SBox<Lane>(first, Broadcast<Lane>(constant));
    Vector total = now[0];
#pragma GCC unroll 12
    for (size_t k = 1; k < kPairs.pairs; ++k) total = Add<Lane>(total, now[k]);
    total = Add<Lane>(total, total);
#pragma GCC unroll 24
    for (size_t k = 0; k < kPairs.singles; ++k) total = Add<Lane>(total, single[k]);
    const Vector sum = Add<Lane>(total, cubed);
    first = Sub<Lane>(total, cubed);
    AdvanceSingles<0>(sum);
    AdvancePairs<0>(sum, before);
  }

  LEAN_LANES_INLINE void Run(const uint32_t* constants, Vector (&state)[kWidth]) {
    constexpr size_t kRounds = RoundConstants<kWidth>::kPartialRounds;
    first = state[0];
#pragma GCC unroll 24
    for (size_t k = 0; k < kPairs.singles; ++k) single[k] = state[kPairs.single[k]];
    EnterPairs<0>(state);
#pragma GCC unroll 1
    for (size_t r = 0; r + 1 < kRounds; r += 2) {
      Round(constants[r], current, previous);
      Round(constants[r + 1], previous, current);
    }
    if constexpr (kRounds % 2 == 1) {
      Round(constants[kRounds - 1], current, previous);
      LeavePairs<0>(previous, current, state);
    } else {
      LeavePairs<0>(current, previous, state);
    }
    state[0] = first;
#pragma GCC unroll 24
    for (size_t k = 0; k < kPairs.singles; ++k) state[kPairs.single[k]] = single[k];
  }

  Vector first;
  Vector single[kPairs.singles];
  Vector current[kPairs.pairs], previous[kPairs.pairs];
};

// Words in Montgomery form, in and out. Not inlined: one copy for each width serves all kernels, and what the call
// costs is nothing beside the permutation.
template <typename Lane, size_t kWidth>
[[gnu::noinline]] void Permute(typename Lane::Vector (&words)[kWidth]) {
  constexpr auto& kConstants = kRoundConstants<Lane, kWidth>;
  typename Lane::Vector state[kWidth];
#pragma GCC unroll 24
  for (size_t i = 0; i < kWidth; ++i) state[i] = words[i];
  ExternalLayer<Lane>(state);
  FullRounds<Lane>(kConstants.initial, state);
  PartialRounds<Lane, kWidth> partial;
  partial.Run(kConstants.internal, state);
  FullRounds<Lane>(kConstants.terminal, state);
#pragma GCC unroll 24
  for (size_t i = 0; i < kWidth; ++i) words[i] = state[i];
}

}  // namespace
}  // namespace lean::crypto::lanes

#endif  // LEAN_COMMON_CRYPTO_LANES_TEMPLATES_PERMUTATION_H_
