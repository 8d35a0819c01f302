#include "tests/common/crypto/lanes/reference.h"

#include <algorithm>

#include "absl/types/span.h"
#include "common/crypto/field/koala_bear.h"
#include "common/crypto/poseidon2/poseidon2.h"
#include "common/crypto/sha.h"

namespace lean::crypto::lanes::reference {
namespace {

template <size_t kWidth>
std::array<Fp, kWidth> ToField(const Words& words) {
  std::array<Fp, kWidth> field{};
  for (size_t i = 0; i < words.size(); ++i) field[i] = Fp::FromUint64(words[i]);
  return field;
}

template <size_t kWidth>
Words PermuteWidth(const Words& input) {
  std::array<Fp, kWidth> state = ToField<kWidth>(input);
  poseidon2::Permute(state);
  Words words;
  for (const Fp word : state) words.push_back(word.canonical());
  return words;
}

void Append(const Words& words, Words& to) { to.insert(to.end(), words.begin(), words.end()); }

Words Prefix(const Parameter& parameter, uint64_t tweak) {
  Words words(parameter.begin(), parameter.end());
  words.push_back(static_cast<uint32_t>(tweak % Fp::kModulus));
  words.push_back(static_cast<uint32_t>(tweak / Fp::kModulus));
  return words;
}

}  // namespace

Words Permute(size_t width, const Words& input) {
  return width == 16 ? PermuteWidth<16>(input) : PermuteWidth<24>(input);
}

Words Compress(size_t width, const Words& input, size_t output_words) {
  Words words = Permute(width, input);
  words.resize(output_words);
  for (size_t i = 0; i < output_words && i < input.size(); ++i) {
    words[i] = static_cast<uint32_t>((uint64_t{words[i]} + input[i]) % Fp::kModulus);
  }
  return words;
}

Words WalkChain(const Parameter& parameter, uint32_t slot, uint32_t chain, uint32_t from, uint32_t to, Words value) {
  for (uint64_t position = from + 1; position <= to; ++position) {
    Words input = Prefix(parameter, uint64_t{slot} << 24 | uint64_t{chain} << 16 | position << 8);
    Append(value, input);
    value = Compress(16, input, value.size());
  }
  return value;
}

Words Leaf(const Parameter& parameter, const std::array<uint32_t, kCapacityWords>& capacity, uint32_t slot,
           const std::vector<Words>& ends) {
  constexpr size_t kRate = 24 - kCapacityWords;
  Words input = Prefix(parameter, uint64_t{slot} << 8 | 1);
  for (const Words& end : ends) Append(end, input);
  input.resize((input.size() + kRate - 1) / kRate * kRate);
  Words state(24);
  for (size_t i = 0; i < kCapacityWords; ++i) state[kRate + i] = capacity[i];
  for (size_t i = 0; i < input.size(); i += kRate) {
    for (size_t j = 0; j < kRate; ++j) {
      state[j] = static_cast<uint32_t>((uint64_t{state[j]} + input[i + j]) % Fp::kModulus);
    }
    state = Permute(24, state);
  }
  state.resize(ends[0].size());
  return state;
}

Words Parent(const Parameter& parameter, uint64_t level, uint64_t index, const Words& left, const Words& right) {
  Words input = Prefix(parameter, level << 40 | index << 8 | 1);
  Append(left, input);
  Append(right, input);
  return Compress(24, input, left.size());
}

std::vector<uint8_t> ChainStartPrefix(const std::array<uint8_t, 32>& key, uint32_t slot) {
  std::vector<uint8_t> prefix = {0xae, 0xae, 0x22, 0xff, 0x00, 0x01, 0xfa, 0xff, 0x21,
                                 0xaf, 0x12, 0x00, 0x01, 0x11, 0xff, 0x00, 0x00};
  prefix.resize(17 + key.size() + 4);
  std::copy(key.begin(), key.end(), prefix.begin() + 17);
  for (size_t i = 0; i < 4; ++i) prefix[17 + key.size() + i] = static_cast<uint8_t>(slot >> (24 - 8 * i));
  return prefix;
}

Words Derive(std::vector<uint8_t> prefix, uint64_t counter, size_t words) {
  for (size_t i = 8; i-- > 0;) prefix.push_back(static_cast<uint8_t>(counter >> (8 * i)));
  std::vector<uint8_t> bytes(16 * words);
  Shake128(prefix, absl::MakeSpan(bytes));
  Words derived;
  for (size_t i = 0; i < words; ++i) {
    uint64_t remainder = 0;
    for (size_t j = 0; j < 16; ++j) remainder = (remainder << 8 | bytes[16 * i + j]) % Fp::kModulus;
    derived.push_back(static_cast<uint32_t>(remainder));
  }
  return derived;
}

}  // namespace lean::crypto::lanes::reference
