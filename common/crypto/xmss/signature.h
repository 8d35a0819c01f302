// A signature and its byte forms. Decoding is strict: one signature has one encoding in each form.
#ifndef LEAN_COMMON_CRYPTO_XMSS_SIGNATURE_H_
#define LEAN_COMMON_CRYPTO_XMSS_SIGNATURE_H_

#include <array>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/bytes/bytes.h"
#include "common/crypto/xmss/scheme.h"
#include "common/crypto/xmss/words.h"

namespace lean::xmss {

struct Signature {
  std::array<Node, kMaxLogLifetime> path{};  // siblings from the leaf up; nodes from log_lifetime() on are zero
  Randomness randomness{};
  std::array<Node, kDimension> chains{};  // the revealed value of each chain

  friend bool operator==(const Signature&, const Signature&) = default;
};

// Flat form (leanSpec 050fa4a): path, randomness, chains, then zeros up to the end of the container.
// `container` has at least scheme.flat_signature_bytes() bytes.
void EncodeFlat(const Scheme& scheme, const Signature& signature, absl::Span<uint8_t> container);

// InvalidArgument: container too short, a word not canonical, or padding not zero.
absl::Status DecodeFlat(const Scheme& scheme, ByteSpan container, Signature& signature);

// leanSig's SSZ form (to_bytes): offset of path, randomness, offset of chains, path, chains.
std::vector<uint8_t> EncodeSsz(const Scheme& scheme, const Signature& signature);

// InvalidArgument: another length, another offset (which fixes the numbers of nodes), or a word not canonical.
absl::Status DecodeSsz(const Scheme& scheme, ByteSpan bytes, Signature& signature);

}  // namespace lean::xmss

#endif  // LEAN_COMMON_CRYPTO_XMSS_SIGNATURE_H_
