#include "common/crypto/signature_scheme.h"

#include <algorithm>
#include <utility>

#include "common/crypto/xmss/keys/public_key.h"
#include "common/crypto/xmss/signature.h"
#include "common/status/status_macros.h"

namespace lean::crypto {
namespace {

constexpr size_t kVerificationGroup = 64;

absl::Status WrongSignature() {
  return absl::InvalidArgumentError("the signature is not one of this message by this key and slot");
}

}  // namespace

absl::StatusOr<SignatureScheme> SignatureScheme::Create(const NetworkSpec& spec) {
  ASSIGN_OR_RETURN(xmss::Scheme xmss, xmss::Scheme::Create(spec.xmss_log_lifetime));
  return SignatureScheme(xmss, spec.signature_form);
}

absl::Status SignatureScheme::Verify(const PublicKeyBytes& public_key, uint64_t slot, const Root& message,
                                     const SignatureBytes& signature) const {
  const VerificationItem item{.public_key = &public_key, .slot = slot, .message = message, .signature = &signature};
  return VerifyBatch({&item, 1}).front();
}

std::vector<absl::Status> SignatureScheme::VerifyBatch(absl::Span<const VerificationItem> items) const {
  std::vector<absl::Status> results(items.size());
  // The size of a group: its decoded items (3 KiB each) stay in the cache until they are used.
  std::vector<xmss::PublicKey> keys(std::min(items.size(), kVerificationGroup));
  std::vector<xmss::Signature> signatures(keys.size());
  std::vector<xmss::SignedMessage> decoded;
  std::vector<size_t> positions;  // of `decoded` in `items`
  for (size_t first = 0; first < items.size(); first += kVerificationGroup) {
    const absl::Span<const VerificationItem> group = items.subspan(first, kVerificationGroup);
    decoded.clear();
    positions.clear();
    for (size_t i = 0; i < group.size(); ++i) {
      results[first + i] = Decode(group[i], keys[i], signatures[i]);
      if (!results[first + i].ok()) continue;
      decoded.push_back(
          {.key = &keys[i], .slot = group[i].slot, .message = &group[i].message, .signature = &signatures[i]});
      positions.push_back(first + i);
    }
    const std::vector<bool> valid = xmss::VerifyBatch(xmss_, decoded);
    for (size_t i = 0; i < positions.size(); ++i) {
      if (!valid[i]) results[positions[i]] = WrongSignature();
    }
  }
  return results;
}

absl::Status SignatureScheme::Decode(const VerificationItem& item, xmss::PublicKey& key,
                                     xmss::Signature& signature) const {
  ASSIGN_OR_RETURN(key, xmss::DecodePublicKey(xmss_, item.public_key->span()));
  RETURN_IF_ERROR(xmss::DecodeFlat(xmss_, item.signature->span(), signature));
  if (item.slot >= xmss_.lifetime()) return absl::InvalidArgumentError("the slot lies beyond the key's lifetime");
  return absl::OkStatus();
}

absl::StatusOr<SignatureBytes> SignatureScheme::Sign(const xmss::SecretKey& key, uint64_t slot,
                                                     const Root& message) const {
  if (key.scheme() != xmss_) return absl::InvalidArgumentError("the key is one of another signature scheme");
  ASSIGN_OR_RETURN(const xmss::Signature signature, key.Sign(slot, message));
  SignatureBytes container;
  xmss::EncodeFlat(xmss_, signature, container.mutable_span());
  return container;
}

absl::StatusOr<PublicKeyBytes> SignatureScheme::PublicKeyOf(const xmss::SecretKey& key) const {
  if (key.scheme() != xmss_) return absl::InvalidArgumentError("the key is one of another signature scheme");
  const std::vector<uint8_t> encoded = xmss::EncodePublicKey(xmss_, key.public_key());
  PublicKeyBytes bytes;
  std::copy(encoded.begin(), encoded.end(), bytes.data.begin());
  return bytes;
}

absl::Status SignatureScheme::CheckPublicKey(const PublicKeyBytes& public_key) const {
  return xmss::DecodePublicKey(xmss_, public_key.span()).status();
}

}  // namespace lean::crypto
