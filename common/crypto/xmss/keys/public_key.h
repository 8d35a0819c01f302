// A public key (the root of the tree, and the parameter that makes its hash functions differ from those of other keys),
// and verification (leanSig f10dcbe, verify). Works on public values only.
#ifndef LEAN_COMMON_CRYPTO_XMSS_KEYS_PUBLIC_KEY_H_
#define LEAN_COMMON_CRYPTO_XMSS_KEYS_PUBLIC_KEY_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/bytes/bytes.h"
#include "common/crypto/xmss/scheme.h"
#include "common/crypto/xmss/signature.h"
#include "common/crypto/xmss/words.h"

namespace lean::xmss {

struct PublicKey {
  Node root{};
  Parameter parameter{};

  friend bool operator==(const PublicKey&, const PublicKey&) = default;
};

// root then parameter, scheme.public_key_bytes() bytes: leanSig's SSZ and Validator.pubkey alike.
std::vector<uint8_t> EncodePublicKey(const Scheme& scheme, const PublicKey& key);

// InvalidArgument: another length, or a word that is not canonical.
absl::StatusOr<PublicKey> DecodePublicKey(const Scheme& scheme, ByteSpan bytes);

// Whether `signature` is one of `message` by the leaf of `slot`. A slot beyond the lifetime is not.
bool Verify(const Scheme& scheme, const PublicKey& key, uint64_t slot, const Root& message, const Signature& signature);

// A signature to verify. Its pointers must stay valid during the call.
struct SignedMessage {
  const PublicKey* key = nullptr;
  uint64_t slot = 0;
  const Root* message = nullptr;
  const Signature* signature = nullptr;
};

// Verify for each item, in order.
std::vector<bool> VerifyBatch(const Scheme& scheme, absl::Span<const SignedMessage> items);

}  // namespace lean::xmss

#endif  // LEAN_COMMON_CRYPTO_XMSS_KEYS_PUBLIC_KEY_H_
