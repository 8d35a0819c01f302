#include "common/crypto/xmss/one_time.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/crypto/xmss/chain_lanes.h"
#include "common/crypto/xmss/message_lanes.h"
#include "common/crypto/xmss/prf_input.h"
#include "common/crypto/xmss/prf_lanes.h"
#include "common/crypto/xmss/tweak_hash.h"

namespace lean::xmss {

absl::StatusOr<EncodedMessage> EncodeMessage(const Scheme& scheme, const PrfKey& prf_key, const Parameter& parameter,
                                             uint32_t slot, const Root& message) {
  const size_t len = scheme.randomness_len();
  PrfLanes prf(PrfInput(prf_key.bytes(), slot, message, 0));
  MessageLanes lanes(len);
  const FieldParameter field_parameter = ToField(parameter);
  const std::array<Fp, kMessageLen> digits = MessageDigits(message);
  for (size_t lane = 0; lane < kLanes; ++lane) lanes.Set(lane, field_parameter, slot, digits);
  for (uint64_t first = 0; first < kMaxTries; first += kLanes) {
    prf.Expand(PrfInput::kCounterAt, 8, first, absl::MakeSpan(&lanes.randomness(0), len));
    lanes.Compress();
    for (size_t lane = 0; lane < kLanes; ++lane) {
      EncodedMessage encoded;
      if (!EncodeTargetSum(lanes.Hash(lane), encoded.codeword)) continue;
      encoded.counter = first + lane;
      for (size_t word = 0; word < len; ++word)
        encoded.randomness[word] = lanes.randomness(word).lane[lane].canonical();
      return encoded;
    }
  }
  return absl::InternalError(absl::StrCat("no codeword of the target sum in ", kMaxTries, " tries"));
}

std::array<Node, kDimension> RevealChains(const Scheme& scheme, const PrfKey& prf_key, const Parameter& parameter,
                                          uint32_t slot, const Codeword& codeword) {
  const size_t len = scheme.hash_len();
  const FieldParameter field_parameter = ToField(parameter);
  PrfLanes prf(PrfInput(prf_key.bytes(), slot, 0));
  std::array<std::array<Row, kMaxHashLen>, kDimension / kLanes> values;  // of kLanes chains each
  std::array<ChainTask, kDimension> tasks;
  for (uint32_t chain = 0; chain < kDimension; ++chain) {
    auto& rows = values[chain / kLanes];
    if (chain % kLanes == 0) prf.Expand(PrfInput::kChainAt, 8, chain, absl::MakeSpan(rows).first(len));
    tasks[chain] = {.parameter = &field_parameter,
                    .slot = slot,
                    .chain = chain,
                    .position = 0,
                    .steps = codeword[chain],
                    .value = &rows[0].lane[chain % kLanes]};
  }
  WalkChains(len, tasks);
  std::array<Node, kDimension> revealed{};
  for (size_t chain = 0; chain < kDimension; ++chain) {
    for (size_t word = 0; word < len; ++word) {
      revealed[chain][word] = values[chain / kLanes][word].lane[chain % kLanes].canonical();
    }
  }
  return revealed;
}

}  // namespace lean::xmss
