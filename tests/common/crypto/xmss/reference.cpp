#include "tests/common/crypto/xmss/reference.h"

#include <algorithm>
#include <vector>

#include "common/crypto/keccak/shake128.h"
#include "common/crypto/poseidon2/poseidon2.h"

namespace lean::xmss {
namespace {

namespace poseidon2 = crypto::poseidon2;

constexpr size_t kSpongeWidth = 24;

// The last byte of a tweak's number tells the uses apart.
enum Separator : uint64_t { kChain = 0, kTree = 1, kMessage = 2 };

Tweak DigitsOf(uint64_t number) {
  return {Fp::FromUint64(number % Fp::kModulus), Fp::FromUint64(number / Fp::kModulus)};
}

// Concatenates words up to one permutation's width.
template <size_t kWidth>
class Words {
 public:
  template <typename Container>
  Words& Append(const Container& words, size_t count) {
    std::copy_n(words.begin(), count, words_.begin() + size_);
    size_ += count;
    return *this;
  }
  absl::Span<const Fp> span() const { return absl::MakeConstSpan(words_).first(size_); }

 private:
  std::array<Fp, kWidth> words_{};
  size_t size_ = 0;
};

void AppendBigEndian(uint64_t value, size_t width, std::vector<uint8_t>& bytes) {
  for (size_t i = width; i-- > 0;) bytes.push_back(static_cast<uint8_t>(value >> (8 * i)));
}

constexpr std::array<uint8_t, 16> kPrfDomain = {0xae, 0xae, 0x22, 0xff, 0x00, 0x01, 0xfa, 0xff,
                                                0x21, 0xaf, 0x12, 0x00, 0x01, 0x11, 0xff, 0x00};

std::vector<uint8_t> PrfInput(const PrfKey& key, uint8_t purpose, uint32_t slot) {
  std::vector<uint8_t> input;
  for (const uint8_t byte : kPrfDomain) input.push_back(byte);
  input.push_back(purpose);
  for (const uint8_t byte : key.bytes()) input.push_back(byte);
  AppendBigEndian(slot, 4, input);
  return input;
}

// Big-endian numbers of 16 bytes modulo p.
void Expand(const std::vector<uint8_t>& input, absl::Span<uint32_t> words) {
  std::vector<uint8_t> bytes(16 * words.size());
  crypto::Shake128(input, absl::MakeSpan(bytes));
  for (size_t i = 0; i < words.size(); ++i) {
    uint64_t remainder = 0;
    for (size_t j = 0; j < 16; ++j) remainder = (remainder << 8 | bytes[16 * i + j]) % Fp::kModulus;
    words[i] = static_cast<uint32_t>(remainder);
  }
}

}  // namespace

Node ChainStart(const Scheme& scheme, const PrfKey& key, uint32_t slot, uint64_t chain) {
  std::vector<uint8_t> input = PrfInput(key, 0, slot);
  AppendBigEndian(chain, 8, input);
  Node start{};
  Expand(input, absl::MakeSpan(start).first(scheme.hash_len()));
  return start;
}

Randomness RandomnessOf(const Scheme& scheme, const PrfKey& key, uint32_t slot, const Root& message, uint64_t counter) {
  std::vector<uint8_t> input = PrfInput(key, 1, slot);
  input.insert(input.end(), message.data.begin(), message.data.end());
  AppendBigEndian(counter, 8, input);
  Randomness randomness{};
  Expand(input, absl::MakeSpan(randomness).first(scheme.randomness_len()));
  return randomness;
}

Tweak ChainTweak(uint64_t slot, uint64_t chain, uint64_t position) {
  return DigitsOf(slot << 24 | chain << 16 | position << 8 | kChain);
}

Tweak TreeTweak(uint64_t level, uint64_t index) { return DigitsOf(level << 40 | index << 8 | kTree); }

Tweak MessageTweak(uint64_t slot) { return DigitsOf(slot << 8 | kMessage); }

std::array<Fp, kMessageLen> MessageDigits(const Root& message) {
  std::array<uint32_t, 8> limbs;  // most significant first
  for (size_t i = 0; i < limbs.size(); ++i) {
    const uint8_t* bytes = &message.data[4 * (limbs.size() - 1 - i)];
    limbs[i] = bytes[0] | bytes[1] << 8 | bytes[2] << 16 | static_cast<uint32_t>(bytes[3]) << 24;
  }
  std::array<Fp, kMessageLen> digits;
  for (Fp& digit : digits) {
    uint64_t remainder = 0;
    for (uint32_t& limb : limbs) {
      const uint64_t dividend = remainder << 32 | limb;
      limb = static_cast<uint32_t>(dividend / Fp::kModulus);
      remainder = dividend % Fp::kModulus;
    }
    digit = Fp::FromUint64(remainder);
  }
  return digits;
}

std::array<Fp, kCapacityLen> CapacityOf(size_t hash_len) {
  // The lengths of parameter, tweak, input and output as one number of 128 bits, in base p.
  unsigned __int128 lengths = static_cast<unsigned __int128>(kParameterLen) << 96 |
                              static_cast<unsigned __int128>(kTweakLen) << 64 |
                              static_cast<unsigned __int128>(kDimension) << 32 | hash_len;
  std::array<Fp, kSpongeWidth> digits;
  for (Fp& digit : digits) {
    digit = Fp::FromUint64(static_cast<uint64_t>(lengths % Fp::kModulus));
    lengths /= Fp::kModulus;
  }
  std::array<Fp, kCapacityLen> capacity;
  poseidon2::Compress24(digits, absl::MakeSpan(capacity));
  return capacity;
}

FieldNode TweakHash::ChainStep(uint64_t slot, uint32_t chain, uint32_t position, const FieldNode& value) const {
  Words<16> input;
  input.Append(parameter_, kParameterLen).Append(ChainTweak(slot, chain, position), kTweakLen).Append(value, hash_len_);
  FieldNode next;
  poseidon2::Compress16(input.span(), absl::MakeSpan(next).first(hash_len_));
  return next;
}

FieldNode TweakHash::Leaf(uint64_t slot, const std::array<FieldNode, kDimension>& ends) const {
  const std::array<Fp, kCapacityLen> capacity = CapacityOf(hash_len_);
  std::array<Fp, kSpongeWidth> state;
  std::copy(capacity.begin(), capacity.end(), state.begin() + kLeafRate);
  size_t position = 0;
  const auto absorb = [&state, &position](absl::Span<const Fp> words) {
    for (const Fp word : words) {
      state[position] += word;
      if (++position < kLeafRate) continue;
      poseidon2::Permute(state);
      position = 0;
    }
  };
  absorb(parameter_);
  absorb(TreeTweak(0, slot));
  for (const FieldNode& end : ends) absorb(absl::MakeConstSpan(end).first(hash_len_));
  if (position != 0) poseidon2::Permute(state);
  FieldNode leaf;
  std::copy_n(state.begin(), hash_len_, leaf.begin());
  return leaf;
}

FieldNode TweakHash::Parent(uint32_t level, uint64_t index, const FieldNode& left, const FieldNode& right) const {
  Words<kSpongeWidth> input;
  input.Append(parameter_, kParameterLen)
      .Append(TreeTweak(level, index), kTweakLen)
      .Append(left, hash_len_)
      .Append(right, hash_len_);
  FieldNode parent;
  poseidon2::Compress24(input.span(), absl::MakeSpan(parent).first(hash_len_));
  return parent;
}

std::array<uint32_t, kMessageHashLen> TweakHash::MessageHash(uint64_t slot, const Root& message,
                                                             const Randomness& randomness) const {
  // The number of the try over several hashes would follow; this scheme needs one hash, whose number is zero.
  Words<kSpongeWidth> input;
  input.Append(ToField(randomness), randomness_len_)
      .Append(parameter_, kParameterLen)
      .Append(MessageTweak(slot), kTweakLen)
      .Append(MessageDigits(message), kMessageLen);
  std::array<Fp, kMessageHashLen> hash;
  poseidon2::Compress24(input.span(), absl::MakeSpan(hash));
  return ToCanonical(hash);
}

}  // namespace lean::xmss
