#include "validator_client/keys/keystore/encrypted_secret.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"

namespace lean::validator {
namespace {

// The memory that OpenSSL needs in addition to 128 * n * r, for the largest r and p.
constexpr uint64_t kScryptSlackBytes = 64 << 20;
constexpr uint64_t kMaxScryptBlock = 1024;  // r

absl::Status Check(const ScryptCost& cost) {
  if (cost.n < 2 || (cost.n & (cost.n - 1)) != 0) {
    return absl::InvalidArgumentError(absl::StrCat("scrypt's n is ", cost.n, ", which is not a power of two above 1"));
  }
  if (cost.r < 1 || cost.r > kMaxScryptBlock) {
    return absl::InvalidArgumentError(absl::StrCat("scrypt's r is ", cost.r, ", not 1 to ", kMaxScryptBlock));
  }
  if (cost.p < 1 || cost.p > kMaxScryptParallelism) {
    return absl::InvalidArgumentError(absl::StrCat("scrypt's p is ", cost.p, ", not 1 to ", kMaxScryptParallelism));
  }
  if (cost.n > kMaxScryptBytes / 128 / cost.r) {
    return absl::InvalidArgumentError(absl::StrCat("scrypt with n ", cost.n, " and r ", cost.r, " takes more than the ",
                                                   kMaxScryptBytes >> 20, " MiB that are allowed"));
  }
  // RFC 7914: n below 2^(128 * r / 8).
  if (cost.r == 1 && cost.n >= 1 << 16) {
    return absl::InvalidArgumentError(absl::StrCat("scrypt's n is ", cost.n, ", too large for r 1"));
  }
  return absl::OkStatus();
}

absl::Status Check(const Pbkdf2Cost& cost) {
  if (cost.c < 1 || cost.c > kMaxPbkdf2Rounds) {
    return absl::InvalidArgumentError(absl::StrCat("pbkdf2's c is ", cost.c, ", not 1 to ", kMaxPbkdf2Rounds));
  }
  return absl::OkStatus();
}

bool Derive(const Password& password, const ScryptCost& cost, ByteSpan salt, absl::Span<uint8_t> key) {
  return EVP_PBE_scrypt(reinterpret_cast<const char*>(password.bytes().data()), password.bytes().size(), salt.data(),
                        salt.size(), cost.n, cost.r, cost.p, kMaxScryptBytes + kScryptSlackBytes, key.data(),
                        key.size()) == 1;
}

bool Derive(const Password& password, const Pbkdf2Cost& cost, ByteSpan salt, absl::Span<uint8_t> key) {
  return PKCS5_PBKDF2_HMAC(reinterpret_cast<const char*>(password.bytes().data()),
                           static_cast<int>(password.bytes().size()), salt.data(), static_cast<int>(salt.size()),
                           static_cast<int>(cost.c), EVP_sha256(), static_cast<int>(key.size()), key.data()) == 1;
}

constexpr size_t kSaltBytes = 32;
constexpr size_t kCipherKeyBytes = 16;

struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
struct FreeDigest {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

// AES-128-CTR, for encryption and decryption. `out` has the length of `in`.
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

absl::Status CheckCost(const DerivationCost& cost) {
  return std::visit([](const auto& which) { return Check(which); }, cost);
}

absl::StatusOr<WipedBytes> DeriveKey(const Password& password, const DerivationCost& cost, ByteSpan salt) {
  RETURN_IF_ERROR(CheckCost(cost));
  if (salt.empty() || salt.size() > kMaxSaltBytes) {
    return absl::InvalidArgumentError(absl::StrCat("the salt has ", salt.size(), " bytes, not 1 to ", kMaxSaltBytes));
  }
  WipedBytes key(kDerivedKeyBytes);
  if (!std::visit([&](const auto& which) { return Derive(password, which, salt, key.mutable_span()); }, cost)) {
    return absl::ResourceExhaustedError("OpenSSL could not derive the key: is there enough memory?");
  }
  return key;
}

absl::StatusOr<EncryptedSecret> Encrypt(ByteSpan secret, const Password& password, const DerivationCost& cost,
                                        RandomSource& random) {
  EncryptedSecret encrypted;
  encrypted.cost = cost;
  encrypted.salt.resize(kSaltBytes);
  RETURN_IF_ERROR(random.Fill(absl::MakeSpan(encrypted.salt)));
  RETURN_IF_ERROR(random.Fill(absl::MakeSpan(encrypted.iv)));
  ASSIGN_OR_RETURN(const WipedBytes key, DeriveKey(password, cost, encrypted.salt));
  encrypted.ciphertext.resize(secret.size());
  RETURN_IF_ERROR(ApplyCipher(key.span(), encrypted.iv, secret, absl::MakeSpan(encrypted.ciphertext)));
  ASSIGN_OR_RETURN(encrypted.checksum, Checksum(key.span(), encrypted.ciphertext));
  return encrypted;
}

absl::StatusOr<WipedBytes> Decrypt(const EncryptedSecret& encrypted, const Password& password) {
  ASSIGN_OR_RETURN(const WipedBytes key, DeriveKey(password, encrypted.cost, encrypted.salt));
  ASSIGN_OR_RETURN(const Root checksum, Checksum(key.span(), encrypted.ciphertext));
  if (CRYPTO_memcmp(checksum.data.data(), encrypted.checksum.data.data(), checksum.data.size()) != 0) {
    return absl::InvalidArgumentError(
        "wrong password (or the file is damaged: its checksum is not that of the password)");
  }
  WipedBytes secret(encrypted.ciphertext.size());
  RETURN_IF_ERROR(ApplyCipher(key.span(), encrypted.iv, encrypted.ciphertext, secret.mutable_span()));
  return secret;
}

}  // namespace lean::validator
