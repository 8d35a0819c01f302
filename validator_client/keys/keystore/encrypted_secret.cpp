#include "validator_client/keys/keystore/encrypted_secret.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include "absl/status/status.h"

namespace lean::validator {
namespace {

constexpr size_t kSaltBytes = 32;
constexpr size_t kCipherKeyBytes = 16;

struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
struct FreeDigest {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

// AES-128-CTR; encrypts and decrypts alike. `out` is as long as `in`.
absl::Status ApplyCipher(ByteSpan derived_key, const std::array<uint8_t, kInitialVectorBytes>& iv, ByteSpan in,
                         absl::Span<uint8_t> out) {
  if (in.size() > static_cast<size_t>(std::numeric_limits<int>::max())) {
    return absl::InvalidArgumentError("the secret is too long");
  }
  const std::unique_ptr<EVP_CIPHER_CTX, FreeCipher> context(EVP_CIPHER_CTX_new());
  int written = 0;
  if (context == nullptr ||
      EVP_EncryptInit_ex(context.get(), EVP_aes_128_ctr(), nullptr, derived_key.first(kCipherKeyBytes).data(),
                         iv.data()) != 1 ||
      EVP_EncryptUpdate(context.get(), out.data(), &written, in.data(), static_cast<int>(in.size())) != 1 ||
      static_cast<size_t>(written) != in.size()) {
    return absl::InternalError("OpenSSL's AES-128-CTR failed");
  }
  return absl::OkStatus();
}

absl::StatusOr<Root> Checksum(ByteSpan derived_key, ByteSpan ciphertext) {
  const ByteSpan key = derived_key.subspan(kCipherKeyBytes);
  const std::unique_ptr<EVP_MD_CTX, FreeDigest> context(EVP_MD_CTX_new());
  Root checksum;
  unsigned int size = 0;
  if (context == nullptr || EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) != 1 ||
      EVP_DigestUpdate(context.get(), key.data(), key.size()) != 1 ||
      EVP_DigestUpdate(context.get(), ciphertext.data(), ciphertext.size()) != 1 ||
      EVP_DigestFinal_ex(context.get(), checksum.data.data(), &size) != 1 || size != checksum.data.size()) {
    return absl::InternalError("OpenSSL's SHA-256 failed");
  }
  return checksum;
}

}  // namespace

absl::StatusOr<EncryptedSecret> Encrypt(ByteSpan secret, const Password& password, const DerivationCost& cost,
                                        xmss::RandomSource& random) {
  EncryptedSecret encrypted;
  encrypted.cost = cost;
  encrypted.salt.resize(kSaltBytes);
  if (absl::Status status = random.Fill(absl::MakeSpan(encrypted.salt)); !status.ok()) return status;
  if (absl::Status status = random.Fill(absl::MakeSpan(encrypted.iv)); !status.ok()) return status;
  const absl::StatusOr<WipedBytes> key = DeriveKey(password, cost, encrypted.salt);
  if (!key.ok()) return key.status();
  encrypted.ciphertext.resize(secret.size());
  if (absl::Status status = ApplyCipher(key->span(), encrypted.iv, secret, absl::MakeSpan(encrypted.ciphertext));
      !status.ok()) {
    return status;
  }
  const absl::StatusOr<Root> checksum = Checksum(key->span(), encrypted.ciphertext);
  if (!checksum.ok()) return checksum.status();
  encrypted.checksum = *checksum;
  return encrypted;
}

absl::StatusOr<WipedBytes> Decrypt(const EncryptedSecret& encrypted, const Password& password) {
  const absl::StatusOr<WipedBytes> key = DeriveKey(password, encrypted.cost, encrypted.salt);
  if (!key.ok()) return key.status();
  const absl::StatusOr<Root> checksum = Checksum(key->span(), encrypted.ciphertext);
  if (!checksum.ok()) return checksum.status();
  if (CRYPTO_memcmp(checksum->data.data(), encrypted.checksum.data.data(), checksum->data.size()) != 0) {
    return absl::InvalidArgumentError(
        "wrong password (or the file is damaged: its checksum is not that of the password)");
  }
  WipedBytes secret(encrypted.ciphertext.size());
  if (absl::Status status = ApplyCipher(key->span(), encrypted.iv, encrypted.ciphertext, secret.mutable_span());
      !status.ok()) {
    return status;
  }
  return secret;
}

}  // namespace lean::validator
