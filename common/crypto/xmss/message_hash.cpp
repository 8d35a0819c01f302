#include "common/crypto/xmss/message_hash.h"

#include <algorithm>

#include "common/crypto/field/koala_bear.h"
#include "common/crypto/lanes/kernels.h"

namespace lean::xmss {
namespace {

using crypto::Fp;

constexpr uint64_t kMessageTweak = 2;  // the last byte of the tweak's number, which tells its uses apart

// The message, a little-endian number, in base p.
std::array<uint32_t, kMessageLen> MessageDigits(const Root& message) {
  std::array<uint32_t, 8> limbs;  // least significant first
  for (size_t i = 0; i < limbs.size(); ++i) {
    const uint8_t* bytes = &message.data[4 * i];
    limbs[i] = bytes[0] | bytes[1] << 8 | bytes[2] << 16 | static_cast<uint32_t>(bytes[3]) << 24;
  }
  std::array<uint32_t, kMessageLen> digits;
  for (uint32_t& digit : digits) {
    uint64_t remainder = 0;
    for (size_t i = limbs.size(); i-- > 0;) {
      const uint64_t dividend = remainder << 32 | limbs[i];
      limbs[i] = static_cast<uint32_t>(dividend / Fp::kModulus);
      remainder = dividend % Fp::kModulus;
    }
    digit = static_cast<uint32_t>(remainder);
  }
  return digits;
}

}  // namespace

MessageHashState MessageHashInput(const Scheme& scheme, const Parameter& parameter, uint64_t slot,
                                  const Root& message) {
  MessageHashState input{};
  auto* word = input.begin() + scheme.randomness_len();
  word = std::copy(parameter.begin(), parameter.end(), word);
  const uint64_t tweak = slot << 8 | kMessageTweak;
  *word++ = static_cast<uint32_t>(tweak % Fp::kModulus);
  *word++ = static_cast<uint32_t>(tweak / Fp::kModulus);
  const std::array<uint32_t, kMessageLen> digits = MessageDigits(message);
  std::copy(digits.begin(), digits.end(), word);
  // The number of the hash would follow; this scheme needs only one, number zero.
  return input;
}

void SetRandomness(const Scheme& scheme, absl::Span<const uint32_t> randomness, MessageHashState& input) {
  std::copy_n(randomness.begin(), scheme.randomness_len(), input.begin());
}

void CompressInputs(absl::Span<MessageHashState> states) {
  constexpr size_t kFew = 4;
  const crypto::lanes::Kernels& kernels = crypto::lanes::BestKernels();
  if (states.size() > kFew) {
    kernels.compress24(states.data()->data(), states.size(), states.data()->data());
    return;
  }
  for (MessageHashState& state : states) {
    const MessageHashState input = state;
    kernels.permute24_single(state.data(), 1);
    for (size_t i = 0; i < state.size(); ++i) {
      const uint32_t sum = state[i] + input[i];
      state[i] = std::min(sum, sum - Fp::kModulus);
    }
  }
}

bool EncodeHash(const MessageHashState& compressed, Codeword& codeword) {
  std::array<uint32_t, kMessageHashLen> hash;
  std::copy_n(compressed.begin(), hash.size(), hash.begin());
  return EncodeTargetSum(hash, codeword);
}

}  // namespace lean::xmss
