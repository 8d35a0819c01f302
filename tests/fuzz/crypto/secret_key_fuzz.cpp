// Secret keys from arbitrary bytes, in leanSig's form and in those of our files: decoded strictly or refused.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "common/crypto/sha.h"
#include "common/crypto/xmss/keys/key_generation.h"
#include "common/crypto/xmss/keys/secret_key_codec.h"
#include "common/crypto/xmss/scheme.h"
#include "common/secrets/random_source.h"
#include "tests/fuzz/fuzzing.h"

namespace lean {
namespace {

using fuzz::Require;

// The bytes with the checksum that our files end in, so that what lies behind it is reached.
std::vector<uint8_t> Sealed(ByteSpan bytes) {
  std::vector<uint8_t> sealed(bytes.begin(), bytes.end());
  const Root hash = crypto::Sha256(bytes);
  sealed.insert(sealed.end(), hash.data.begin(), hash.data.end());
  return sealed;
}

void CheckKey(const xmss::Scheme& scheme, ByteSpan bytes) {
  const absl::StatusOr<xmss::SecretKey> key = xmss::DecodeLeanSigSecretKey(scheme, bytes);
  if (key.ok()) Require(xmss::EncodeLeanSigSecretKey(*key).span() == bytes);
  const std::vector<uint8_t> sealed = Sealed(bytes);
  for (const ByteSpan file : {bytes, ByteSpan(sealed)}) xmss::DecodeSecretKeySeed(scheme, file).IgnoreError();
}

// Trees that claim to be those of a key.
void CheckCache(ByteSpan bytes) {
  static const xmss::Scheme scheme = *xmss::Scheme::Create(8);
  static const xmss::SecretKeySeed seed = [] {
    SeededRandomSource random(1);
    const absl::StatusOr<xmss::SecretKey> key = xmss::GenerateKey(scheme, {.first = 0, .end = 1}, random);
    return *xmss::DecodeSecretKeySeed(scheme, xmss::EncodeSecretKeySeed(*key).span());
  }();
  const std::vector<uint8_t> sealed = Sealed(bytes);
  for (const ByteSpan file : {bytes, ByteSpan(sealed)}) Require(!xmss::DecodeTreeCache(scheme, seed, file).ok());
}

}  // namespace
}  // namespace lean

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lean;  // NOLINT(google-build-using-namespace): this is the program
  for (const uint32_t log_lifetime : {32, 8}) {
    const absl::StatusOr<xmss::Scheme> scheme = xmss::Scheme::Create(log_lifetime);
    Require(scheme.ok());
    CheckKey(*scheme, ByteSpan(data, size));
  }
  CheckKey(xmss::Scheme::Lifetime18(), ByteSpan(data, size));
  CheckCache(ByteSpan(data, size));
  return 0;
}
