// Passwords of keystores: from a file or from the terminal, never from an argument.
#ifndef LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORE_PASSWORD_H_
#define LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORE_PASSWORD_H_

#include <stop_token>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "common/bytes/bytes.h"
#include "common/secrets/wiped_bytes.h"

namespace lean::validator {

// Longer ones, in bytes of UTF-8, are refused: it is rather the wrong file.
inline constexpr size_t kMaxPasswordBytes = 1024;

// In EIP-2335's form: UTF-8, normalised by NFKD, without control codes (C0, C1 and Delete), so that a line's end in a
// file does not count. Move-only; wiped when destroyed.
class Password {
 public:
  // InvalidArgument: no UTF-8, longer than kMaxPasswordBytes, or nothing is left of it. The error does not quote it.
  static absl::StatusOr<Password> FromText(ByteSpan utf8);

  ByteSpan bytes() const { return bytes_.span(); }

 private:
  explicit Password(WipedBytes bytes) : bytes_(std::move(bytes)) {}

  WipedBytes bytes_;
};

// The whole file is the password; it may be a pipe. Errors of ReadSecretFile (common/secrets) and of FromText, naming
// the file.
absl::StatusOr<Password> ReadPasswordFile(const std::string& path);

// Asks on the terminal of this process (/dev/tty) without showing what is typed; with `confirm`, twice.
// FailedPrecondition: there is no terminal. InvalidArgument: of FromText, or the two differ. Cancelled: end of input, a
// stop was requested, or a signal to stop is pending.
// `option`: of the file that could hold it, for the first of these.
absl::StatusOr<Password> PromptPassword(const std::string& prompt, const std::string& option, bool confirm,
                                        const std::stop_token& stop = {});

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORE_PASSWORD_H_
