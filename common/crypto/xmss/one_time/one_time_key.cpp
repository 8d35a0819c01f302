#include "common/crypto/xmss/one_time/one_time_key.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/crypto/field/koala_bear.h"
#include "common/crypto/lanes/kernels.h"
#include "common/crypto/xmss/one_time/prf.h"
#include "common/crypto/xmss/one_time/target_sum.h"

namespace lean::xmss {
namespace {

using crypto::Fp;

LeafCapacity ComputeLeafCapacity(size_t hash_len) {
  // The lengths of parameter, tweak, input and output as one number of 128 bits, in base p.
  unsigned __int128 lengths = static_cast<unsigned __int128>(kParameterLen) << 96 |
                              static_cast<unsigned __int128>(kTweakLen) << 64 |
                              static_cast<unsigned __int128>(kDimension) << 32 | hash_len;
  std::array<uint32_t, 24> state;
  for (uint32_t& digit : state) {
    digit = static_cast<uint32_t>(lengths % Fp::kModulus);
    lengths /= Fp::kModulus;
  }
  crypto::lanes::BestKernels().compress24(state.data(), 1, state.data());
  LeafCapacity capacity;
  std::copy_n(state.begin(), capacity.size(), capacity.begin());
  return capacity;
}

constexpr size_t kTriesAtOnce = 16;  // fills the lanes; two in three messages need a second group

}  // namespace

const LeafCapacity& LeafCapacityOf(const Scheme& scheme) {
  static const LeafCapacity of_eight = ComputeLeafCapacity(8);
  static const LeafCapacity of_seven = ComputeLeafCapacity(7);
  return scheme.hash_len() == 8 ? of_eight : of_seven;
}

void HashLeaves(const Scheme& scheme, const PrfKey& prf_key, const Parameter& parameter, uint32_t first_slot,
                absl::Span<uint32_t> leaves) {
  const crypto::lanes::LeafSource source{.prf_key = prf_key.bytes().data(),
                                         .parameter = parameter.data(),
                                         .capacity = LeafCapacityOf(scheme).data(),
                                         .hash_len = scheme.hash_len()};
  crypto::lanes::BestKernels().leaves(source, first_slot, leaves.size() / scheme.hash_len(), leaves.data());
}

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
  crypto::lanes::WalkChains(kernels, scheme.hash_len(), jobs.data(), jobs.size());
  return values;
}

}  // namespace lean::xmss
