// Keystores of versions 4 and 5: parsed strictly or refused. What is parsed comes back from its own form, asks for no
// more memory or time than is allowed, and opens with no password that the fuzzer can know.
#include <string>
#include <variant>

#include "nlohmann/json.hpp"
#include "tests/fuzz/fuzzing.h"
#include "validator_client/keys/keystore/encrypted_secret.h"
#include "validator_client/keys/keystore/keystore_json.h"

namespace lean::fuzz {
namespace {

using validator::EncryptedKeystore;
using validator::SecretForm;

// Derivations that are cheap enough to run.
bool IsCheap(const validator::DerivationCost& cost) {
  if (const auto* scrypt = std::get_if<validator::ScryptCost>(&cost)) return scrypt->n * scrypt->r * scrypt->p <= 256;
  if (const auto* pbkdf2 = std::get_if<validator::Pbkdf2Cost>(&cost)) return pbkdf2->c <= 256;
  const auto& argon2 = std::get<validator::Argon2Cost>(cost);
  return argon2.m * argon2.t <= 256;
}

void CheckSecret(const EncryptedKeystore& keystore) {
  const validator::EncryptedSecret& secret = keystore.secret;
  Require(validator::CheckCost(secret.cost).ok());
  Require(secret.iv.size() == validator::InitialVectorBytes(secret.cipher));
  Require(!secret.salt.empty() && secret.salt.size() <= validator::kMaxSaltBytes);
  if (!IsCheap(secret.cost)) return;
  const absl::StatusOr<validator::Password> password = validator::Password::FromText(BytesOfText("fuzz"));
  Require(password.ok());
  const absl::StatusOr<WipedBytes> opened = validator::Decrypt(secret, *password);
  Require(!opened.ok());
}

}  // namespace
}  // namespace lean::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lean::fuzz;  // NOLINT(google-build-using-namespace): this is the program
  const auto keystore = lean::validator::ParseKeystore(TextOf(data, size));
  if (!keystore.ok()) {
    Require(keystore.status().code() == absl::StatusCode::kInvalidArgument);
    return 0;
  }
  CheckSecret(*keystore);
  if (keystore->form == SecretForm::kKeyFile) return 0;  // version 4 is not written any more
  Require(keystore->active.first < keystore->active.end);
  Require(keystore->active.end <= uint64_t{1} << keystore->log_lifetime);
  const std::string text = lean::validator::FormatKeystore(*keystore);
  const auto again = lean::validator::ParseKeystore(text);
  Require(again.ok() && lean::validator::FormatKeystore(*again) == text);
  Require(again->pubkey == keystore->pubkey && again->state == keystore->state);
  Require(again->secret.ciphertext == keystore->secret.ciphertext && again->secret.cost == keystore->secret.cost);
  return 0;
}
