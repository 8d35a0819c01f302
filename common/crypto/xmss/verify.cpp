#include "common/crypto/xmss/verify.h"

#include <array>

#include "common/crypto/xmss/target_sum.h"
#include "common/crypto/xmss/tweak_hash.h"

namespace lean::xmss {

bool Verify(const Scheme& scheme, const PublicKey& key, uint64_t slot, const Root& message,
            const Signature& signature) {
  if (slot >= scheme.lifetime()) return false;
  const TweakHash hash(scheme, key.parameter);
  Codeword codeword;
  if (!EncodeTargetSum(hash.MessageHash(slot, message, signature.randomness), codeword)) return false;

  std::array<FieldNode, kDimension> ends;
  for (uint32_t chain = 0; chain < kDimension; ++chain) {
    ends[chain] = ToField(signature.chains[chain]);
    for (uint32_t position = codeword[chain] + 1; position <= kChainEnd; ++position) {
      ends[chain] = hash.ChainStep(slot, chain, position, ends[chain]);
    }
  }
  FieldNode node = hash.Leaf(slot, ends);
  uint64_t index = slot;
  for (uint32_t level = 0; level < scheme.log_lifetime(); ++level) {
    const FieldNode sibling = ToField(signature.path[level]);
    const bool is_right = index % 2 == 1;
    index /= 2;
    node = is_right ? hash.Parent(level + 1, index, sibling, node) : hash.Parent(level + 1, index, node, sibling);
  }
  return ToCanonical(node) == key.root;
}

std::vector<bool> VerifyBatch(const Scheme& scheme, absl::Span<const SignedMessage> items) {
  std::vector<bool> valid(items.size());
  for (size_t i = 0; i < items.size(); ++i) {
    valid[i] = Verify(scheme, *items[i].key, items[i].slot, *items[i].message, *items[i].signature);
  }
  return valid;
}

}  // namespace lean::xmss
