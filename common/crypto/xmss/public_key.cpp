#include "common/crypto/xmss/public_key.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"

namespace lean::xmss {

std::vector<uint8_t> EncodePublicKey(const Scheme& scheme, const PublicKey& key) {
  std::vector<uint8_t> bytes(scheme.public_key_bytes());
  const auto out = absl::MakeSpan(bytes);
  WriteWords(absl::MakeConstSpan(key.root).first(scheme.hash_len()), out.first(scheme.hash_bytes()));
  WriteWords(key.parameter, out.subspan(scheme.hash_bytes()));
  return bytes;
}

absl::StatusOr<PublicKey> DecodePublicKey(const Scheme& scheme, ByteSpan bytes) {
  if (bytes.size() != scheme.public_key_bytes()) {
    return absl::InvalidArgumentError(
        absl::StrCat("a public key has ", scheme.public_key_bytes(), " bytes, not ", bytes.size()));
  }
  PublicKey key;
  if (!ReadWords(bytes.first(scheme.hash_bytes()), absl::MakeSpan(key.root).first(scheme.hash_len())) ||
      !ReadWords(bytes.subspan(scheme.hash_bytes()), absl::MakeSpan(key.parameter))) {
    return absl::InvalidArgumentError("a word of the public key is not below the field's modulus");
  }
  return key;
}

}  // namespace lean::xmss
