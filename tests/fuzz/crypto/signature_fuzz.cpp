// Signatures from arbitrary bytes: decoded strictly or refused, never valid.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "common/crypto/signature_scheme.h"
#include "common/crypto/xmss/keys/public_key.h"
#include "common/crypto/xmss/scheme.h"
#include "common/crypto/xmss/signature.h"
#include "tests/fuzz/fuzzing.h"

namespace lean {
namespace {

using fuzz::Require;

void CheckSsz(const xmss::Scheme& scheme, ByteSpan bytes) {
  xmss::Signature signature;
  if (!xmss::DecodeSsz(scheme, bytes, signature).ok()) return;
  Require(ByteSpan(xmss::EncodeSsz(scheme, signature)) == bytes);
  Require(!xmss::Verify(scheme, xmss::PublicKey{}, bytes[4], Root{}, signature));
}

// The bytes laid over a well-formed encoding, at a place that they choose: most of these decode.
void CheckOverlaid(const xmss::Scheme& scheme, ByteSpan bytes) {
  if (bytes.size() < 2) return;
  std::vector<uint8_t> encoded = xmss::EncodeSsz(scheme, xmss::Signature{});
  const size_t begin = (bytes[0] | size_t{bytes[1]} << 8) % encoded.size();
  const size_t count = std::min(bytes.size() - 2, encoded.size() - begin);
  std::copy_n(bytes.begin() + 2, count, encoded.begin() + static_cast<ptrdiff_t>(begin));
  CheckSsz(scheme, encoded);
}

void CheckContainer(const crypto::SignatureScheme& scheme, const SignatureBytes& container, uint64_t slot) {
  Require(!scheme.Verify(PublicKeyBytes{}, slot, Root{}, container).ok());
  xmss::Signature signature;
  if (!xmss::DecodeFlat(scheme.xmss(), container.span(), signature).ok()) return;
  SignatureBytes again;
  xmss::EncodeFlat(scheme.xmss(), signature, again.mutable_span());
  Require(again == container);
}

}  // namespace
}  // namespace lean

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lean;  // NOLINT(google-build-using-namespace): this is the program
  const ByteSpan bytes(data, size);
  for (const uint32_t log_lifetime : {32, 16, 8}) {
    NetworkSpec spec;
    spec.xmss_log_lifetime = log_lifetime;
    const absl::StatusOr<crypto::SignatureScheme> scheme = crypto::SignatureScheme::Create(spec);
    Require(scheme.ok());
    CheckSsz(scheme->xmss(), bytes);
    CheckOverlaid(scheme->xmss(), bytes);
    SignatureBytes container;
    std::copy_n(data, std::min(size, container.data.size()), container.data.begin());
    CheckContainer(*scheme, container, size == 0 ? 0 : data[0]);
  }
  CheckSsz(xmss::Scheme::Lifetime18(), bytes);
  return 0;
}
