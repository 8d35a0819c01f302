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

// The password of keystores, from --password-file or from the terminal. Read or asked for once, when it is first
// needed. Not thread-safe.
class KeystorePassword {
 public:
  enum Kind {
    kExisting,
    kNew,     // asked for twice
    kSource,  // of imported keys: --from-password-file
  };

  // If `file` is empty, asks on the terminal until `stop` is requested. If there is no terminal, the error names the
  // option.
  KeystorePassword(std::string file, Kind kind, std::stop_token stop = {})
      : file_(std::move(file)), kind_(kind), stop_(std::move(stop)) {}
  KeystorePassword(const KeystorePassword&) = delete;
  KeystorePassword& operator=(const KeystorePassword&) = delete;

  // The password lives until Drop, at most as long as this object. Errors of ReadPasswordFile or PromptPassword.
  absl::StatusOr<const Password*> Get();

  // Like Get, but does not ask on the terminal. Null when there is no file and Get has not asked before.
  absl::StatusOr<const Password*> GetIfAtHand();

  // Wipes the password. The next Get reads it or asks for it again.
  void Drop() { password_.reset(); }

  // A source that calls Get. It must not outlive this object.
  PasswordSource source() {
    return [this] { return Get(); };
  }

 private:
  const std::string file_;
  const Kind kind_;
  const std::stop_token stop_;
  std::optional<Password> password_;
};

// Validator indices: "0..3", "0,2,5" or both, "0..3,8", in the given order. InvalidArgument: malformed, a duplicate
// index, or an index of 4096 or more (the registry's limit).
absl::StatusOr<std::vector<uint64_t>> ParseIndexList(absl::string_view text);

// The path of the signing records: `records` if given, otherwise a file beside the keystores list.
std::string RecordsPath(const std::string& records, const std::string& keystores);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_COMMANDS_KEY_OPTIONS_H_
