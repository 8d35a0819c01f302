#include "validator_client/keys/keystore/key_derivation.h"

#include <argon2.h>
#include <openssl/evp.h>

#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"

namespace lean::validator {
namespace {

// The memory that OpenSSL needs in addition to 128 * n * r, for the largest r and p.
constexpr uint64_t kScryptSlackBytes = 64 << 20;
constexpr uint64_t kMaxScryptBlock = 1024;  // r
constexpr uint64_t kLeastArgon2KibOfLane = 8;

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

absl::Status Check(const Argon2Cost& cost) {
  if (cost.t < 1 || cost.t > kMaxArgon2Passes) {
    return absl::InvalidArgumentError(absl::StrCat("argon2id's t is ", cost.t, ", not 1 to ", kMaxArgon2Passes));
  }
  if (cost.p < 1 || cost.p > kMaxArgon2Lanes) {
    return absl::InvalidArgumentError(absl::StrCat("argon2id's p is ", cost.p, ", not 1 to ", kMaxArgon2Lanes));
  }
  if (cost.m < kLeastArgon2KibOfLane * cost.p || cost.m > kMaxArgon2Kib) {
    return absl::InvalidArgumentError(
        absl::StrCat("argon2id's m is ", cost.m, " KiB, not ", kLeastArgon2KibOfLane * cost.p, " to ", kMaxArgon2Kib));
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

// The library wipes its memory before it frees it.
bool Derive(const Password& password, const Argon2Cost& cost, ByteSpan salt, absl::Span<uint8_t> key) {
  return argon2id_hash_raw(static_cast<uint32_t>(cost.t), static_cast<uint32_t>(cost.m), static_cast<uint32_t>(cost.p),
                           password.bytes().data(), password.bytes().size(), salt.data(), salt.size(), key.data(),
                           key.size()) == ARGON2_OK;
}

}  // namespace

absl::Status CheckCost(const DerivationCost& cost) {
  return std::visit([](const auto& which) { return Check(which); }, cost);
}

absl::StatusOr<WipedBytes> DeriveKey(const Password& password, const DerivationCost& cost, ByteSpan salt) {
  RETURN_IF_ERROR(CheckCost(cost));
  const size_t least = std::holds_alternative<Argon2Cost>(cost) ? kMinArgon2SaltBytes : 1;
  if (salt.size() < least || salt.size() > kMaxSaltBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the salt has ", salt.size(), " bytes, not ", least, " to ", kMaxSaltBytes));
  }
  WipedBytes key(kDerivedKeyBytes);
  if (!std::visit([&](const auto& which) { return Derive(password, which, salt, key.mutable_span()); }, cost)) {
    return absl::ResourceExhaustedError("the key could not be derived from the password: is there enough memory?");
  }
  return key;
}

}  // namespace lean::validator
