// Public keys from arbitrary bytes: decoded strictly or refused. Whoever chooses the key can choose one to which a
// given signature belongs, but not two.
#include <algorithm>
#include <cstdint>
#include <utility>

#include "common/crypto/signature_scheme.h"
#include "common/crypto/xmss/keys/public_key.h"
#include "common/crypto/xmss/scheme.h"
#include "tests/fuzz/fuzzing.h"

namespace lean {
namespace {

using fuzz::Require;

void CheckKey(const xmss::Scheme& scheme, ByteSpan bytes) {
  const absl::StatusOr<xmss::PublicKey> key = xmss::DecodePublicKey(scheme, bytes);
  Require(bytes.size() == scheme.public_key_bytes() || !key.ok());
  if (!key.ok()) return;
  Require(ByteSpan(xmss::EncodePublicKey(scheme, *key)) == bytes);
  if (!xmss::Verify(scheme, *key, bytes[0], Root{}, xmss::Signature{})) return;
  xmss::PublicKey other = *key;
  std::swap(other.root[0], other.root[1]);
  Require(other.root == key->root || !xmss::Verify(scheme, other, bytes[0], Root{}, xmss::Signature{}));
}

}  // namespace
}  // namespace lean

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lean;  // NOLINT(google-build-using-namespace): this is the program
  const ByteSpan bytes(data, size);
  const absl::StatusOr<xmss::Scheme> production = xmss::Scheme::Create(32);
  Require(production.ok());
  CheckKey(*production, bytes);
  CheckKey(xmss::Scheme::Lifetime18(), bytes);
  CheckKey(*production, bytes.first(std::min(size, production->public_key_bytes())));
  const absl::StatusOr<crypto::SignatureScheme> scheme = crypto::SignatureScheme::Create(NetworkSpec{});
  Require(scheme.ok());
  PublicKeyBytes key;
  std::copy_n(data, std::min(size, key.data.size()), key.data.begin());
  if (scheme->Verify(key, size, Root{}, SignatureBytes{}).ok()) {
    key.data[0] ^= 1;
    Require(!scheme->Verify(key, size, Root{}, SignatureBytes{}).ok());
  }
  return 0;
}
