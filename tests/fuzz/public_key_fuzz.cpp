// Public keys from arbitrary bytes: decoded strictly or refused, and no signature of all zeros is theirs.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "common/crypto/signature_scheme.h"
#include "common/crypto/xmss/keys/public_key.h"
#include "common/crypto/xmss/scheme.h"

namespace lean {
namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

void CheckKey(const xmss::Scheme& scheme, ByteSpan bytes) {
  const absl::StatusOr<xmss::PublicKey> key = xmss::DecodePublicKey(scheme, bytes);
  Require(bytes.size() == scheme.public_key_bytes() || !key.ok());
  if (!key.ok()) return;
  Require(ByteSpan(xmss::EncodePublicKey(scheme, *key)) == bytes);
  Require(!xmss::Verify(scheme, *key, bytes[0], Root{}, xmss::Signature{}));
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
  Require(!scheme->Verify(key, size, Root{}, SignatureBytes{}).ok());
  return 0;
}
