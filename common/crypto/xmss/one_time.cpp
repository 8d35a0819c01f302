#include "common/crypto/xmss/one_time.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/crypto/xmss/tweak_hash.h"

namespace lean::xmss {

absl::StatusOr<EncodedMessage> EncodeMessage(const Scheme& scheme, const PrfKey& prf_key, const Parameter& parameter,
                                             uint32_t slot, const Root& message) {
  const TweakHash hash(scheme, parameter);
  EncodedMessage encoded;
  for (encoded.counter = 0; encoded.counter < kMaxTries; ++encoded.counter) {
    encoded.randomness = prf_key.RandomnessOf(scheme, slot, message, encoded.counter);
    if (EncodeTargetSum(hash.MessageHash(slot, message, encoded.randomness), encoded.codeword)) return encoded;
  }
  return absl::InternalError(absl::StrCat("no codeword of the target sum in ", kMaxTries, " tries"));
}

std::array<Node, kDimension> RevealChains(const Scheme& scheme, const PrfKey& prf_key, const Parameter& parameter,
                                          uint32_t slot, const Codeword& codeword) {
  const TweakHash hash(scheme, parameter);
  std::array<Node, kDimension> revealed;
  for (uint32_t chain = 0; chain < kDimension; ++chain) {
    FieldNode value = ToField(prf_key.ChainStart(scheme, slot, chain));
    for (uint32_t position = 1; position <= codeword[chain]; ++position) {
      value = hash.ChainStep(slot, chain, position, value);
    }
    revealed[chain] = ToCanonical(value);
  }
  return revealed;
}

}  // namespace lean::xmss
