// Real key files of lifetime 2^8 for tests, which are created from a seed within milliseconds, and their passwords.
#ifndef LEAN_TESTS_VALIDATOR_CLIENT_SUPPORT_TEST_KEYSTORES_H_
#define LEAN_TESTS_VALIDATOR_CLIENT_SUPPORT_TEST_KEYSTORES_H_

#include <atomic>
#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/bytes/bytes.h"
#include "common/secrets/random_source.h"
#include "validator_client/commands/keys/keys_new.h"
#include "validator_client/keys/keystore/encrypted_secret.h"
#include "validator_client/keys/keystore/password.h"

namespace lean::validator {

// Keys for slots 0 to 63 in DIR/validator_N.key, listed in DIR/keystores.yaml.
inline absl::Status MakeTestKeystores(const std::string& dir, std::vector<uint64_t> indices, uint64_t seed = 1,
                                      uint32_t log_lifetime = 8) {
  SeededRandomSource random(seed);
  const std::atomic<bool> cancelled{false};
  std::ostringstream out;
  return MakeKeys({.output_dir = dir, .indices = std::move(indices), .log_lifetime = log_lifetime, .active_slots = 64},
                  random, cancelled, out, false);
}

// A PasswordSource for lists of plain key files.
inline absl::StatusOr<const Password*> NoPassword() { return absl::InternalError("a password was asked for"); }

inline std::string TextOf(const Password& password) {
  return {reinterpret_cast<const char*>(password.bytes().data()), password.bytes().size()};
}

inline Password MakePassword(absl::string_view text) { return *Password::FromText(BytesOfText(text)); }

// Cheap enough for thousands of decryptions per second.
inline constexpr Pbkdf2Cost kCheapCost{.c = 1};

}  // namespace lean::validator

#endif  // LEAN_TESTS_VALIDATOR_CLIENT_SUPPORT_TEST_KEYSTORES_H_
