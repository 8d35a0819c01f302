// Signatures of the chain: public keys of 52 bytes and signatures of 3116 bytes in the network's scheme.
#ifndef LEAN_COMMON_CRYPTO_SIGNATURE_SCHEME_H_
#define LEAN_COMMON_CRYPTO_SIGNATURE_SCHEME_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/bytes/bytes.h"
#include "common/config/network_spec.h"
#include "common/crypto/xmss/keys/secret_key.h"
#include "common/crypto/xmss/scheme.h"

namespace lean::crypto {

// A signature to verify. Its pointers must stay valid during the call.
struct VerificationItem {
  const PublicKeyBytes* public_key = nullptr;
  uint64_t slot = 0;
  Root message;
  const SignatureBytes* signature = nullptr;
};

// Immutable and thread-safe. The message is hash_tree_root(Attestation), the leaf its slot
// (leanSpec 050fa4a, Signature.verify, with leanSig f10dcbe's algorithm: docs/spec_deviations.md).
class SignatureScheme {
 public:
  // InvalidArgument: the lifetime is not supported.
  static absl::StatusOr<SignatureScheme> Create(const NetworkSpec& spec);

  // InvalidArgument: the encoding is not canonical, the slot is beyond the key's lifetime, or the signature is wrong.
  // Accepts any bytes.
  absl::Status Verify(const PublicKeyBytes& public_key, uint64_t slot, const Root& message,
                      const SignatureBytes& signature) const;

  // The same for each item, in order. From about 16 items on, it is much faster than one call for each. Runs on the
  // calling thread, so a caller with a pool splits its work into such batches.
  std::vector<absl::Status> VerifyBatch(absl::Span<const VerificationItem> items) const;

  // Signs `message` with the leaf of `slot`. Deterministic. Keeps no record: the caller must ensure that no leaf signs
  // two messages, which would reveal the key. InvalidArgument: a key of another scheme, or a slot for which the key is
  // not prepared.
  absl::StatusOr<SignatureBytes> Sign(const xmss::SecretKey& key, uint64_t slot, const Root& message) const;

  // The public key in the form of Validator.pubkey. InvalidArgument: a key of another scheme.
  absl::StatusOr<PublicKeyBytes> PublicKeyOf(const xmss::SecretKey& key) const;

  // InvalidArgument: a word of the key is not below the field's modulus.
  absl::Status CheckPublicKey(const PublicKeyBytes& public_key) const;

  const xmss::Scheme& xmss() const { return xmss_; }
  SignatureForm form() const { return form_; }

 private:
  SignatureScheme(const xmss::Scheme& xmss, SignatureForm form) : xmss_(xmss), form_(form) {}

  // Decodes the key and the signature of an item. InvalidArgument: they are malformed, or the slot does not exist.
  absl::Status Decode(const VerificationItem& item, xmss::PublicKey& key, xmss::Signature& signature) const;

  xmss::Scheme xmss_;
  SignatureForm form_;
};

}  // namespace lean::crypto

#endif  // LEAN_COMMON_CRYPTO_SIGNATURE_SCHEME_H_
