// Verification (leanSig f10dcbe, verify). All of it works on public values.
#ifndef LEAN_COMMON_CRYPTO_XMSS_VERIFY_H_
#define LEAN_COMMON_CRYPTO_XMSS_VERIFY_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "common/bytes/bytes.h"
#include "common/crypto/xmss/public_key.h"
#include "common/crypto/xmss/scheme.h"
#include "common/crypto/xmss/signature.h"

namespace lean::xmss {

// Whether `signature` is one of `message` by the leaf of `slot`. A slot beyond the lifetime is not.
bool Verify(const Scheme& scheme, const PublicKey& key, uint64_t slot, const Root& message, const Signature& signature);

// One signature to check. Points to what the caller keeps alive during the call.
struct SignedMessage {
  const PublicKey* key = nullptr;
  uint64_t slot = 0;
  const Root* message = nullptr;
  const Signature* signature = nullptr;
};

// Verify for each item, in order.
std::vector<bool> VerifyBatch(const Scheme& scheme, absl::Span<const SignedMessage> items);

}  // namespace lean::xmss

#endif  // LEAN_COMMON_CRYPTO_XMSS_VERIFY_H_
