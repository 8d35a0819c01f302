// A secret key: the seed of every one-time key, the top tree and the two bottom trees whose leaves can sign now.
#ifndef LEAN_COMMON_CRYPTO_XMSS_KEYS_SECRET_KEY_H_
#define LEAN_COMMON_CRYPTO_XMSS_KEYS_SECRET_KEY_H_

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/bytes/bytes.h"
#include "common/crypto/xmss/keys/public_key.h"
#include "common/crypto/xmss/keys/subtree.h"
#include "common/crypto/xmss/one_time/prf.h"
#include "common/crypto/xmss/scheme.h"
#include "common/crypto/xmss/signature.h"

namespace lean::xmss {

// The parts of a SecretKey, which key generation and the codecs create.
struct SecretKeyParts {
  std::optional<MasterSeed> master;  // from which the others follow (keys/key_seed.h); nullopt: a key made elsewhere
  PrfKey prf_key;
  Parameter parameter{};
  SlotRange active;                // whole bottom trees
  Subtree top_tree;                // roots of the active range's bottom trees and everything above
  uint64_t left_bottom_index = 0;  // `left` covers the slots from left_bottom_index * bottom_leaves()
  Subtree left;
  Subtree right;
};

// InvalidArgument unless `active` is two or more whole bottom trees within the lifetime.
absl::Status CheckActiveRange(const Scheme& scheme, const SlotRange& active);

// Move-only. Const methods may run on several threads; Advance may not run beside them.
class SecretKey {
 public:
  // InvalidArgument: the parts do not fit each other or the scheme (shapes, ranges, roots of the bottom trees).
  static absl::StatusOr<SecretKey> Create(const Scheme& scheme, SecretKeyParts parts);

  SecretKey(SecretKey&&) noexcept = default;
  SecretKey& operator=(SecretKey&&) noexcept = default;

  const Scheme& scheme() const { return scheme_; }
  const PublicKey& public_key() const { return public_key_; }
  SlotRange active() const { return parts_.active; }
  // The slots for which Sign works now: two bottom trees, 131072 slots at lifetime 2^32.
  SlotRange prepared() const;

  // Signs `message` with the leaf of `slot`; the result equals leanSig's. Deterministic and stateless: the same call
  // gives the same bytes, and nothing here prevents a leaf from signing two messages. OutOfRange: `slot` is outside
  // prepared(). Internal: no randomness was found in kMaxTries (this does not happen).
  absl::StatusOr<Signature> Sign(uint64_t slot, const Root& message) const;

  // Whether there is a bottom tree after the prepared ones.
  bool CanAdvance() const { return prepared().end < parts_.active.end; }

  // A builder of the bottom tree after the prepared ones, for Advance. Requires CanAdvance(). The key may be used,
  // moved or destroyed in the meantime.
  BottomTreeBuilder NextTreeBuilder() const;

  // Drops the left bottom tree and adds the one after the right, which `next` has finished. OutOfRange: CanAdvance() is
  // false. InvalidArgument: not finished, or not the next tree of this key.
  absl::Status Advance(BottomTreeBuilder next);

  // Builds the next tree and advances, on this thread. Takes seconds at lifetime 2^32.
  absl::Status Advance();

  // The parts for the codecs. Contains the secret: never log, print or copy it.
  const SecretKeyParts& parts() const { return parts_; }
  SecretKeyParts TakeParts() && { return std::move(parts_); }

 private:
  SecretKey(const Scheme& scheme, SecretKeyParts parts, PublicKey public_key)
      : scheme_(scheme), parts_(std::move(parts)), public_key_(std::move(public_key)) {}

  Scheme scheme_;
  SecretKeyParts parts_;
  PublicKey public_key_;
};

}  // namespace lean::xmss

#endif  // LEAN_COMMON_CRYPTO_XMSS_KEYS_SECRET_KEY_H_
