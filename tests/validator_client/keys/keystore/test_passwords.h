// Passwords and cheap costs for the tests of keystores.
#ifndef LEAN_TESTS_VALIDATOR_CLIENT_KEYS_KEYSTORE_TEST_PASSWORDS_H_
#define LEAN_TESTS_VALIDATOR_CLIENT_KEYS_KEYSTORE_TEST_PASSWORDS_H_

#include <string>

#include "absl/strings/string_view.h"
#include "validator_client/keys/keystore/key_derivation.h"
#include "validator_client/keys/keystore/password.h"

namespace lean::validator {

inline ByteSpan BytesOf(absl::string_view text) { return {reinterpret_cast<const uint8_t*>(text.data()), text.size()}; }

inline std::string TextOf(const Password& password) {
  return {reinterpret_cast<const char*>(password.bytes().data()), password.bytes().size()};
}

inline Password MakePassword(absl::string_view text) { return *Password::FromText(BytesOf(text)); }

// Thousands of decryptions a second.
inline constexpr Pbkdf2Cost kCheapCost{.c = 1};

}  // namespace lean::validator

#endif  // LEAN_TESTS_VALIDATOR_CLIENT_KEYS_KEYSTORE_TEST_PASSWORDS_H_
