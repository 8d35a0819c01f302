#include "validator_client/commands/keystore_password.h"

namespace lean::validator {

absl::StatusOr<const Password*> KeystorePassword::Get() {
  if (!password_.has_value()) {
    absl::StatusOr<Password> password =
        file_.empty() ? PromptPassword(kind_ == kNew ? "new password of the keystores" : "password of the keystores",
                                       kind_ == kNew)
                      : ReadPasswordFile(file_);
    if (!password.ok()) return password.status();
    password_ = *std::move(password);
  }
  return &*password_;
}

absl::StatusOr<const Password*> KeystorePassword::GetIfAtHand() {
  if (!password_.has_value() && file_.empty()) return nullptr;
  return Get();
}

}  // namespace lean::validator
