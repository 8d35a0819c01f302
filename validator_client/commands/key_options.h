// Options that several commands share: passwords of keystores, validator indices, where files are by default.
#ifndef LEAN_VALIDATOR_CLIENT_COMMANDS_KEY_OPTIONS_H_
#define LEAN_VALIDATOR_CLIENT_COMMANDS_KEY_OPTIONS_H_

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "validator_client/keys/keystore/key_file.h"
#include "validator_client/keys/keystore/password.h"

namespace lean::validator {

// The password of keystores, from --password-file or from the terminal. Read or asked for when it is first needed,
// once. Not thread-safe.
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

// Validator indices: "0..3", "0,2,5" or both, "0..3,8": in the order given. InvalidArgument: not of this form, an index
// of 4096 or more (the registry's limit), or one that stands twice.
absl::StatusOr<std::vector<uint64_t>> ParseIndexList(absl::string_view text);

// Where the records of these keystores are unless a path is given: beside their list.
std::string RecordsPath(const std::string& records, const std::string& keystores);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_COMMANDS_KEY_OPTIONS_H_
