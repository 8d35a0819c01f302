#include "common/crypto/xmss/keys/secret_key.h"

#include "absl/strings/str_cat.h"
#include "common/crypto/xmss/one_time/one_time_key.h"
#include "common/status/status_macros.h"

namespace lean::xmss {

absl::Status CheckActiveRange(const Scheme& scheme, const SlotRange& active) {
  const uint64_t leaves = scheme.bottom_leaves();
  if (active.first % leaves == 0 && active.end % leaves == 0 && active.end <= scheme.lifetime() &&
      active.first < active.end && active.size() >= 2 * leaves) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat("a key's active slots are two or more whole bottom trees of ", leaves,
                                                 " leaves, not ", active.first, "..", active.end, " (end excluded)"));
}

absl::StatusOr<SecretKey> SecretKey::Create(const Scheme& scheme, SecretKeyParts parts) {
  RETURN_IF_ERROR(CheckActiveRange(scheme, parts.active));
  const uint64_t first_index = parts.active.first / scheme.bottom_leaves();
  const uint64_t end_index = parts.active.end / scheme.bottom_leaves();
  if (parts.left_bottom_index < first_index || parts.left_bottom_index >= end_index - 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("bottom tree ", parts.left_bottom_index, " is not one that another active one follows"));
  }
  if (!HasShape(scheme, parts.top_tree, TopTreeShape(scheme, first_index, end_index - first_index)) ||
      !HasShape(scheme, parts.left, BottomTreeShape(scheme, parts.left_bottom_index)) ||
      !HasShape(scheme, parts.right, BottomTreeShape(scheme, parts.left_bottom_index + 1))) {
    return absl::InvalidArgumentError("the layers of a tree do not have the sizes that the key's active slots ask for");
  }
  const Layer& roots = parts.top_tree.layers.front();
  if (NodeAt(scheme, roots, parts.left_bottom_index) != RootOf(scheme, parts.left) ||
      NodeAt(scheme, roots, parts.left_bottom_index + 1) != RootOf(scheme, parts.right)) {
    return absl::InvalidArgumentError("a bottom tree's root is not the one in the top tree");
  }
  const PublicKey public_key{.root = RootOf(scheme, parts.top_tree), .parameter = parts.parameter};
  return SecretKey(scheme, std::move(parts), public_key);
}

SlotRange SecretKey::prepared() const {
  const uint64_t first = parts_.left_bottom_index * scheme_.bottom_leaves();
  return {.first = first, .end = first + 2 * scheme_.bottom_leaves()};
}

absl::StatusOr<Signature> SecretKey::Sign(uint64_t slot, const Root& message) const {
  if (!prepared().Contains(slot)) {
    return absl::OutOfRangeError(absl::StrCat("slot ", slot, " is outside the slots the key is prepared for, ",
                                              prepared().first, "..", prepared().end - 1));
  }
  const auto leaf = static_cast<uint32_t>(slot);
  ASSIGN_OR_RETURN(const EncodedMessage encoded,
                   EncodeMessage(scheme_, parts_.prf_key, parts_.parameter, leaf, message));

  Signature signature;
  signature.randomness = encoded.randomness;
  signature.chains = RevealChains(scheme_, parts_.prf_key, parts_.parameter, leaf, encoded.codeword);
  const bool in_left = slot / scheme_.bottom_leaves() == parts_.left_bottom_index;
  const Subtree& bottom = in_left ? parts_.left : parts_.right;
  for (uint32_t level = 0; level < scheme_.log_lifetime(); ++level) {
    const Layer& layer = level < scheme_.bottom_height() ? bottom.layers[level]
                                                         : parts_.top_tree.layers[level - scheme_.bottom_height()];
    signature.path[level] = NodeAt(scheme_, layer, (slot >> level) ^ 1);
  }
  return signature;
}

BottomTreeBuilder SecretKey::NextTreeBuilder() const {
  return BottomTreeBuilder(scheme_, parts_.prf_key.Clone(), parts_.parameter, parts_.left_bottom_index + 2);
}

absl::Status SecretKey::Advance(BottomTreeBuilder next) {
  if (!CanAdvance()) return absl::OutOfRangeError("the key has no bottom tree after the prepared ones");
  if (next.index() != parts_.left_bottom_index + 2 || !next.done()) {
    return absl::InvalidArgumentError("not the finished bottom tree that follows the prepared ones");
  }
  Subtree tree = std::move(next).Take();
  if (NodeAt(scheme_, parts_.top_tree.layers.front(), parts_.left_bottom_index + 2) != RootOf(scheme_, tree)) {
    return absl::InvalidArgumentError("the next bottom tree's root is not the one in the top tree");
  }
  parts_.left = std::move(parts_.right);
  parts_.right = std::move(tree);
  ++parts_.left_bottom_index;
  return absl::OkStatus();
}

absl::Status SecretKey::Advance() {
  if (!CanAdvance()) return absl::OutOfRangeError("the key has no bottom tree after the prepared ones");
  BottomTreeBuilder next = NextTreeBuilder();
  next.Step(next.leaves_total());
  return Advance(std::move(next));
}

}  // namespace lean::xmss
