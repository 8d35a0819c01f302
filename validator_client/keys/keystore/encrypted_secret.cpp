#include "validator_client/keys/keystore/encrypted_secret.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <limits>
#include <memory>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "common/status/status_macros.h"

namespace lean::validator {
namespace {

constexpr size_t kSaltBytes = 32;
constexpr size_t kHalfKeyBytes = 16;
constexpr size_t kGcmVectorBytes = 12;
constexpr size_t kCtrVectorBytes = 16;

struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
struct FreeDigest {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

absl::Status WrongPassword() {
  return absl::InvalidArgumentError("wrong password (or the file is damaged: it is not what the password encrypted)");
}

// One run of a cipher in OpenSSL.
class CipherRun {
 public:
  static absl::StatusOr<CipherRun> Begin(Cipher cipher, bool encrypts, ByteSpan key, ByteSpan iv) {
    CipherRun run;
    const bool gcm = cipher == Cipher::kAes256Gcm;
    if (iv.size() != InitialVectorBytes(cipher)) return absl::InvalidArgumentError("the iv has a wrong size");
    if (run.context_ == nullptr ||
        EVP_CipherInit_ex(run.context_.get(), gcm ? EVP_aes_256_gcm() : EVP_aes_128_ctr(), nullptr,
                          key.first(gcm ? kDerivedKeyBytes : kHalfKeyBytes).data(), iv.data(), encrypts ? 1 : 0) != 1) {
      return Failed();
    }
    return run;
  }

  // `out` has the length of `in`.
  absl::Status Update(ByteSpan in, absl::Span<uint8_t> out) {
    if (in.size() > static_cast<size_t>(std::numeric_limits<int>::max())) {
      return absl::InvalidArgumentError("the secret is too long");
    }
    int written = 0;
    if (EVP_CipherUpdate(context_.get(), out.data(), &written, in.data(), static_cast<int>(in.size())) != 1 ||
        static_cast<size_t>(written) != in.size()) {
      return Failed();
    }
    return absl::OkStatus();
  }

  absl::Status ReadTag(absl::Span<uint8_t> tag) {
    int written = 0;
    uint8_t nothing = 0;
    if (EVP_CipherFinal_ex(context_.get(), &nothing, &written) != 1 ||
        EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_GCM_GET_TAG, static_cast<int>(tag.size()), tag.data()) != 1) {
      return Failed();
    }
    return absl::OkStatus();
  }

  absl::Status CheckTag(ByteSpan tag) {
    int written = 0;
    uint8_t nothing = 0;
    std::vector<uint8_t> copy(tag.begin(), tag.end());
    if (EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_GCM_SET_TAG, static_cast<int>(copy.size()), copy.data()) != 1) {
      return Failed();
    }
    return EVP_CipherFinal_ex(context_.get(), &nothing, &written) == 1 ? absl::OkStatus() : WrongPassword();
  }

 private:
  static absl::Status Failed() { return absl::InternalError("OpenSSL's AES failed"); }

  std::unique_ptr<EVP_CIPHER_CTX, FreeCipher> context_{EVP_CIPHER_CTX_new()};
};

absl::StatusOr<Root> Checksum(ByteSpan derived_key, ByteSpan ciphertext) {
  const ByteSpan key = derived_key.subspan(kHalfKeyBytes);
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

size_t InitialVectorBytes(Cipher cipher) { return cipher == Cipher::kAes256Gcm ? kGcmVectorBytes : kCtrVectorBytes; }

absl::StatusOr<EncryptedSecret> Encrypt(ByteSpan secret, const Password& password, const DerivationCost& cost,
                                        RandomSource& random) {
  EncryptedSecret encrypted;
  encrypted.cost = cost;
  encrypted.salt.resize(kSaltBytes);
  encrypted.iv.resize(InitialVectorBytes(encrypted.cipher));
  RETURN_IF_ERROR(random.Fill(absl::MakeSpan(encrypted.salt)));
  RETURN_IF_ERROR(random.Fill(absl::MakeSpan(encrypted.iv)));
  ASSIGN_OR_RETURN(const WipedBytes key, DeriveKey(password, cost, encrypted.salt));
  encrypted.ciphertext.resize(secret.size() + kTagBytes);
  const absl::Span<uint8_t> out = absl::MakeSpan(encrypted.ciphertext);
  ASSIGN_OR_RETURN(CipherRun run, CipherRun::Begin(encrypted.cipher, /*encrypts=*/true, key.span(), encrypted.iv));
  RETURN_IF_ERROR(run.Update(secret, out.first(secret.size())));
  RETURN_IF_ERROR(run.ReadTag(out.subspan(secret.size())));
  ASSIGN_OR_RETURN(encrypted.checksum, Checksum(key.span(), encrypted.ciphertext));
  return encrypted;
}

absl::StatusOr<WipedBytes> Decrypt(const EncryptedSecret& encrypted, const Password& password) {
  ASSIGN_OR_RETURN(const WipedBytes key, DeriveKey(password, encrypted.cost, encrypted.salt));
  ByteSpan ciphertext = encrypted.ciphertext;
  if (encrypted.checksum.has_value()) {
    ASSIGN_OR_RETURN(const Root checksum, Checksum(key.span(), ciphertext));
    if (CRYPTO_memcmp(checksum.data.data(), encrypted.checksum->data.data(), checksum.data.size()) != 0) {
      return WrongPassword();
    }
  }
  const size_t tag_bytes = encrypted.cipher == Cipher::kAes256Gcm ? kTagBytes : 0;
  if (ciphertext.size() < tag_bytes) return absl::InvalidArgumentError("the encrypted secret is shorter than its tag");
  const ByteSpan tag = ciphertext.last(tag_bytes);
  ciphertext.remove_suffix(tag_bytes);
  WipedBytes secret(ciphertext.size());
  ASSIGN_OR_RETURN(CipherRun run, CipherRun::Begin(encrypted.cipher, /*encrypts=*/false, key.span(), encrypted.iv));
  RETURN_IF_ERROR(run.Update(ciphertext, secret.mutable_span()));
  if (tag_bytes > 0) {
    RETURN_IF_ERROR(run.CheckTag(tag));
  }
  return secret;
}

}  // namespace lean::validator
