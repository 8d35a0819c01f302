// Reads passwords of keystores from a file or from the terminal.
#ifndef LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORE_PASSWORD_H_
#define LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORE_PASSWORD_H_

#include <stop_token>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "common/bytes/bytes.h"
#include "common/secrets/secret_memory.h"

namespace lean::validator {

// The maximum length in bytes of UTF-8. A longer text is probably not a password file.
inline constexpr size_t kMaxPasswordBytes = 1024;

// A password in the form of EIP-2335: UTF-8, normalised by NFKD, without control codes (C0, C1 and Delete), which also
// removes the line end in a file. Move-only; wiped when destroyed.
class Password {
 public:
  // InvalidArgument: not UTF-8, longer than kMaxPasswordBytes, or empty after normalisation. The error does not quote
  // it.
  static absl::StatusOr<Password> FromText(ByteSpan utf8);

  ByteSpan bytes() const { return bytes_.span(); }

 private:
  explicit Password(WipedBytes bytes) : bytes_(std::move(bytes)) {}

  WipedBytes bytes_;
};

// Reads a file, or a pipe, whose whole content is the password. Errors of ReadSecretFile (common/secrets) and of
// FromText; they name the file.
absl::StatusOr<Password> ReadPasswordFile(const std::string& path);

// Asks for a password on the terminal of this process (/dev/tty) without echo; with `confirm`, asks twice.
// FailedPrecondition: there is no terminal; the error names `option`, which takes a password file. InvalidArgument: an
// error of FromText, or the two inputs differ. Cancelled: end of input, a requested stop, or a pending signal to stop.
absl::StatusOr<Password> PromptPassword(const std::string& prompt, const std::string& option, bool confirm,
                                        const std::stop_token& stop = {});

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORE_PASSWORD_H_
