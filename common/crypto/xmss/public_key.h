// A public key: the root of the tree and the parameter that sets its hash functions apart from every other key's.
#ifndef LEAN_COMMON_CRYPTO_XMSS_PUBLIC_KEY_H_
#define LEAN_COMMON_CRYPTO_XMSS_PUBLIC_KEY_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "common/bytes/bytes.h"
#include "common/crypto/xmss/scheme.h"
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

}  // namespace lean::xmss

#endif  // LEAN_COMMON_CRYPTO_XMSS_PUBLIC_KEY_H_
