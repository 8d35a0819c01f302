// Signatures as the chain sees them: 52-byte keys and 3116-byte containers under the network's scheme.
#ifndef LEAN_COMMON_CRYPTO_SIGNATURE_SCHEME_H_
#define LEAN_COMMON_CRYPTO_SIGNATURE_SCHEME_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/bytes/bytes.h"
#include "common/config/network_spec.h"
#include "common/crypto/xmss/scheme.h"

namespace lean::crypto {

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

  // InvalidArgument: a word of the key is not below the field's modulus.
  absl::Status CheckPublicKey(const PublicKeyBytes& public_key) const;

  const xmss::Scheme& xmss() const { return xmss_; }
  SignatureForm form() const { return form_; }

 private:
  SignatureScheme(const xmss::Scheme& xmss, SignatureForm form) : xmss_(xmss), form_(form) {}

  xmss::Scheme xmss_;
  SignatureForm form_;
};

}  // namespace lean::crypto

#endif  // LEAN_COMMON_CRYPTO_SIGNATURE_SCHEME_H_
