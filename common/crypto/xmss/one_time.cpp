#include "common/crypto/xmss/one_time.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/crypto/lanes/chains.h"
#include "common/crypto/lanes/kernels.h"
#include "common/crypto/xmss/message_hash.h"
#include "common/crypto/xmss/prf_prefix.h"

namespace lean::xmss {
namespace {

constexpr size_t kTriesAtOnce = 16;  // fills the lanes; two in three messages need a second group

}  // namespace

absl::StatusOr<EncodedMessage> EncodeMessage(const Scheme& scheme, const PrfKey& prf_key, const Parameter& parameter,
                                             uint32_t slot, const Root& message) {
  const crypto::lanes::Kernels& kernels = crypto::lanes::BestKernels();
  const PrfPrefix prefix(prf_key, slot, message);
  const MessageHashState input = MessageHashInput(scheme, parameter, slot, message);
  std::array<Node, kTriesAtOnce> randomness;
  std::array<MessageHashState, kTriesAtOnce> states;
  for (uint64_t first = 0; first < kMaxTries; first += kTriesAtOnce) {
    kernels.derive(prefix.data(), prefix.size(), first, kTriesAtOnce, scheme.randomness_len(), randomness[0].data());
    for (size_t i = 0; i < kTriesAtOnce; ++i) {
      states[i] = input;
      SetRandomness(scheme, randomness[i], states[i]);
    }
    CompressInputs(absl::MakeSpan(states));
    for (size_t i = 0; i < kTriesAtOnce; ++i) {
      EncodedMessage encoded{.randomness = {}, .codeword = {}, .counter = first + i};
      if (!EncodeHash(states[i], encoded.codeword)) continue;
      std::copy_n(randomness[i].begin(), scheme.randomness_len(), encoded.randomness.begin());
      return encoded;
    }
  }
  return absl::InternalError(absl::StrCat("no codeword of the target sum in ", kMaxTries, " tries"));
}

std::array<Node, kDimension> RevealChains(const Scheme& scheme, const PrfKey& prf_key, const Parameter& parameter,
                                          uint32_t slot, const Codeword& codeword) {
  const crypto::lanes::Kernels& kernels = crypto::lanes::BestKernels();
  const PrfPrefix prefix(prf_key, slot);
  std::array<Node, kDimension> values;
  kernels.derive(prefix.data(), prefix.size(), 0, kDimension, scheme.hash_len(), values[0].data());
  std::array<crypto::lanes::ChainJob, kDimension> jobs;
  for (size_t chain = 0; chain < kDimension; ++chain) {
    jobs[chain] = {.parameter = parameter.data(),
                   .value = values[chain].data(),
                   .slot = slot,
                   .chain = static_cast<uint8_t>(chain),
                   .from = 0,
                   .to = codeword[chain]};
  }
  crypto::lanes::WalkChains(kernels, scheme.hash_len(), absl::MakeSpan(jobs));
  return values;
}

}  // namespace lean::xmss
