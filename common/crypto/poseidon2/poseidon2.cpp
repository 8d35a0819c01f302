#include "common/crypto/poseidon2/poseidon2.h"

#include <algorithm>
#include <cstddef>

#include "common/crypto/poseidon2/constants.h"

namespace lean::crypto::poseidon2 {
namespace {

template <size_t kCount>
constexpr std::array<Fp, kCount> ToField(const std::array<uint32_t, kCount>& canonical) {
  std::array<Fp, kCount> result;
  for (size_t i = 0; i < kCount; ++i) result[i] = Fp::FromUint64(canonical[i]);
  return result;
}

template <size_t kWidth>
constexpr auto ToField(const std::array<std::array<uint32_t, kWidth>, kHalfFullRounds>& canonical) {
  std::array<std::array<Fp, kWidth>, kHalfFullRounds> result;
  for (size_t i = 0; i < kHalfFullRounds; ++i) result[i] = ToField(canonical[i]);
  return result;
}

template <size_t kWidth>
struct FieldConstants {
  static constexpr auto kInitial = ToField(Constants<kWidth>::kInitial);
  static constexpr auto kTerminal = ToField(Constants<kWidth>::kTerminal);
  static constexpr auto kInternal = ToField(Constants<kWidth>::kInternal);
  static constexpr auto kDiagonal = ToField(Constants<kWidth>::kDiagonal);
};

Fp Cube(Fp x) { return x * x * x; }

// Each block of four words by [[2,3,1,1],[1,2,3,1],[1,1,2,3],[3,1,1,2]], then to each word the sum of its column.
template <size_t kWidth>
void ExternalLayer(std::array<Fp, kWidth>& state) {
  std::array<Fp, 4> sums{};
  for (size_t i = 0; i < kWidth; i += 4) {
    const Fp a = state[i], b = state[i + 1], c = state[i + 2], d = state[i + 3];
    const Fp total = a + b + c + d;
    state[i] = total + a + b + b;
    state[i + 1] = total + b + c + c;
    state[i + 2] = total + c + d + d;
    state[i + 3] = total + d + a + a;
    for (size_t j = 0; j < 4; ++j) sums[j] += state[i + j];
  }
  for (size_t i = 0; i < kWidth; ++i) state[i] += sums[i % 4];
}

template <size_t kWidth>
void FullRounds(const std::array<std::array<Fp, kWidth>, kHalfFullRounds>& constants, std::array<Fp, kWidth>& state) {
  for (const auto& round : constants) {
    for (size_t i = 0; i < kWidth; ++i) state[i] = Cube(state[i] + round[i]);
    ExternalLayer(state);
  }
}

template <size_t kWidth>
void PermuteWords(std::array<Fp, kWidth>& state) {
  using Field = FieldConstants<kWidth>;
  ExternalLayer(state);
  FullRounds(Field::kInitial, state);
  for (const Fp constant : Field::kInternal) {
    state[0] = Cube(state[0] + constant);
    Fp sum;
    for (const Fp word : state) sum += word;
    for (size_t i = 0; i < kWidth; ++i) state[i] = sum + Field::kDiagonal[i] * state[i];
  }
  FullRounds(Field::kTerminal, state);
}

template <size_t kWidth>
void Compress(absl::Span<const Fp> input, absl::Span<Fp> output) {
  std::array<Fp, kWidth> padded{};
  std::copy(input.begin(), input.end(), padded.begin());
  std::array<Fp, kWidth> state = padded;
  PermuteWords(state);
  for (size_t i = 0; i < output.size(); ++i) output[i] = state[i] + padded[i];
}

}  // namespace

void Permute(std::array<Fp, 16>& state) { PermuteWords(state); }
void Permute(std::array<Fp, 24>& state) { PermuteWords(state); }
void Compress16(absl::Span<const Fp> input, absl::Span<Fp> output) { Compress<16>(input, output); }
void Compress24(absl::Span<const Fp> input, absl::Span<Fp> output) { Compress<24>(input, output); }

}  // namespace lean::crypto::poseidon2
