// The password of this process's keystores: from --password-file, or asked for on the terminal.
#ifndef LEAN_VALIDATOR_CLIENT_COMMANDS_KEYSTORE_PASSWORD_H_
#define LEAN_VALIDATOR_CLIENT_COMMANDS_KEYSTORE_PASSWORD_H_

#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "validator_client/keys/keystore/key_file.h"
#include "validator_client/keys/keystore/password.h"

namespace lean::validator {

// Read or asked for when it is first needed, once. Not thread-safe.
class KeystorePassword {
 public:
  enum Kind {
    kExisting,
    kNew,     // asked for twice
    kSource,  // of keys that are taken from elsewhere: --from-password-file
  };

  // `file` may be empty: the terminal is asked, until `stop` is requested. Where there is none, the error names the
  // option.
  KeystorePassword(std::string file, Kind kind, std::stop_token stop = {})
      : file_(std::move(file)), kind_(kind), stop_(std::move(stop)) {}
  KeystorePassword(const KeystorePassword&) = delete;
  KeystorePassword& operator=(const KeystorePassword&) = delete;

  // Errors of ReadPasswordFile or PromptPassword. The password lives until Drop, or as long as this object.
  absl::StatusOr<const Password*> Get();

  // As Get, but the terminal is not asked: null when there is no file and it has not been asked before.
  absl::StatusOr<const Password*> GetIfAtHand();

  // Wipes the password. Get would read it again or ask for it.
  void Drop() { password_.reset(); }

  // Calls Get; must not outlive this object.
  PasswordSource source() {
    return [this] { return Get(); };
  }

 private:
  const std::string file_;
  const Kind kind_;
  const std::stop_token stop_;
  std::optional<Password> password_;
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_COMMANDS_KEYSTORE_PASSWORD_H_
