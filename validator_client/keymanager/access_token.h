// The access token of the keymanager: a file on this machine, and the value that a caller sends.
#ifndef LEAN_VALIDATOR_CLIENT_KEYMANAGER_ACCESS_TOKEN_H_
#define LEAN_VALIDATOR_CLIENT_KEYMANAGER_ACCESS_TOKEN_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/bytes/bytes.h"
#include "common/secrets/random_source.h"

namespace lean::validator {

// The length bounds of a token. A shorter one could be guessed.
inline constexpr size_t kMinTokenBytes = 32;
inline constexpr size_t kMaxTokenBytes = 1024;

// Keeps a digest of the token, not the token. Immutable.
class AccessToken {
 public:
  // Reads the file, or creates it (0600, 256 bits of `random` in hex). Ignores space around the token.
  // PermissionDenied: accessible to group or others. InvalidArgument: too short, too long, or characters that a header
  // cannot contain. Errors name the file and never quote it.
  static absl::StatusOr<AccessToken> ReadOrMake(const std::string& path, RandomSource& random);

  // Compares in constant time.
  bool Matches(absl::string_view shown) const;

 private:
  explicit AccessToken(const Root& digest) : digest_(digest) {}

  Root digest_;
};

// Reads the token for a caller to send. Errors of ReadOrMake; NotFound: there is no such file.
absl::StatusOr<std::string> ReadAccessToken(const std::string& path);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_KEYMANAGER_ACCESS_TOKEN_H_
