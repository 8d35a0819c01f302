#include "validator_client/commands/keystore_password.h"

namespace lean::validator {
namespace {

const char* PromptOf(KeystorePassword::Kind kind) {
  switch (kind) {
    case KeystorePassword::kNew:
      return "new password of the keystores";
    case KeystorePassword::kSource:
      return "password of the keys as they are";
    case KeystorePassword::kExisting:
      break;
  }
  return "password of the keystores";
}

const char* OptionOf(KeystorePassword::Kind kind) {
  switch (kind) {
    case KeystorePassword::kNew:
      return "--password-file (or --plain)";
    case KeystorePassword::kSource:
      return "--from-password-file";
    case KeystorePassword::kExisting:
      break;
  }
  return "--password-file";
}

}  // namespace

absl::StatusOr<const Password*> KeystorePassword::Get() {
  if (!password_.has_value()) {
    absl::StatusOr<Password> password =
        file_.empty() ? PromptPassword(PromptOf(kind_), OptionOf(kind_), /*confirm=*/kind_ == kNew, stop_)
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
