// The token of the keymanager: a file that the operator may read, and what a caller shows.
#ifndef LEAN_VALIDATOR_CLIENT_KEYMANAGER_ACCESS_TOKEN_H_
#define LEAN_VALIDATOR_CLIENT_KEYMANAGER_ACCESS_TOKEN_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/bytes/bytes.h"
#include "common/secrets/random_source.h"

namespace lean::validator {

// Shorter ones are refused: they could be guessed.
inline constexpr size_t kMinTokenBytes = 32;
inline constexpr size_t kMaxTokenBytes = 1024;

// Keeps a digest of the token, not the token. Immutable.
class AccessToken {
 public:
  // Reads the file, or makes it (0600, 256 bits of `random` in hex). Space around the token does not count.
  // PermissionDenied: open to group or others. InvalidArgument: too short, too long, or characters that no header can
  // carry. Errors name the file, never its content.
  static absl::StatusOr<AccessToken> ReadOrMake(const std::string& path, RandomSource& random);

  // In a time that tells nothing about the token.
  bool Matches(absl::string_view shown) const;

 private:
  explicit AccessToken(const Root& digest) : digest_(digest) {}

  Root digest_;
};

// The token itself, for a client to show. Errors of ReadOrMake; NotFound: there is no such file.
absl::StatusOr<std::string> ReadAccessToken(const std::string& path);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_KEYMANAGER_ACCESS_TOKEN_H_
