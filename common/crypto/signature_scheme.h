// Signatures as the chain sees them: 52-byte keys and 3116-byte containers under the network's scheme.
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

// One signature to check. Points to what the caller keeps alive during the call.
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
  // InvalidArgument: a lifetime that this build does not know.
  static absl::StatusOr<SignatureScheme> Create(const NetworkSpec& spec);

  // OK, or InvalidArgument that says what is wrong: non-canonical encoding, slot beyond the key's lifetime,
  // wrong signature. Never aborts, whatever the bytes are.
  absl::Status Verify(const PublicKeyBytes& public_key, uint64_t slot, const Root& message,
                      const SignatureBytes& signature) const;

  // The same for each item, in order; much cheaper an item than one by one, from about 16 items on. Runs on the
  // calling thread: a caller with a pool cuts its work into such batches.
  std::vector<absl::Status> VerifyBatch(absl::Span<const VerificationItem> items) const;

  // The container of key's signature over `message` with the leaf of `slot`. Deterministic; keeps no record of what it
  // signed, and a leaf that signs two messages gives its key away: guarding that is the caller's part.
  // InvalidArgument: a key of another scheme, or a slot outside what the key has prepared.
  absl::StatusOr<SignatureBytes> Sign(const xmss::SecretKey& key, uint64_t slot, const Root& message) const;

  // The key as it stands in Validator.pubkey. InvalidArgument: a key of another scheme.
  absl::StatusOr<PublicKeyBytes> PublicKeyOf(const xmss::SecretKey& key) const;

  // InvalidArgument: a word of the key is not below the field's modulus.
  absl::Status CheckPublicKey(const PublicKeyBytes& public_key) const;

  const xmss::Scheme& xmss() const { return xmss_; }
  SignatureForm form() const { return form_; }

 private:
  SignatureScheme(const xmss::Scheme& xmss, SignatureForm form) : xmss_(xmss), form_(form) {}

  // Key and signature of an item whose slot exists. InvalidArgument otherwise.
  absl::Status Decode(const VerificationItem& item, xmss::PublicKey& key, xmss::Signature& signature) const;

  xmss::Scheme xmss_;
  SignatureForm form_;
};

}  // namespace lean::crypto

#endif  // LEAN_COMMON_CRYPTO_SIGNATURE_SCHEME_H_
