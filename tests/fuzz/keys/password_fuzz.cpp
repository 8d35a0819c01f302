// Passwords from arbitrary bytes: valid UTF-8 in one normal form without control codes, or refused.
#include <string>

#include "nlohmann/json.hpp"
#include "tests/fuzz/fuzzing.h"
#include "validator_client/keys/keystore/password.h"

namespace lean::fuzz {
namespace {

// By another library.
bool IsUtf8(absl::string_view text) {
  const std::string quoted =
      nlohmann::json(std::string(text)).dump(-1, ' ', false, nlohmann::json::error_handler_t::ignore);
  return nlohmann::json::parse(quoted).get<std::string>() == text;
}

bool HasControls(absl::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : 0);
    if (byte < 0x20 || byte == 0x7f || (byte == 0xc2 && next < 0xa0)) return true;
  }
  return false;
}

}  // namespace
}  // namespace lean::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lean::fuzz;  // NOLINT(google-build-using-namespace): this is the program
  using lean::validator::Password;
  const absl::string_view text = TextOf(data, size);
  const auto password = Password::FromText(lean::ByteSpan(data, size));
  if (!password.ok()) return 0;
  Require(size <= lean::validator::kMaxPasswordBytes && IsUtf8(text));
  const absl::string_view normal(reinterpret_cast<const char*>(password->bytes().data()), password->bytes().size());
  Require(!normal.empty() && IsUtf8(normal));
  Require(!HasControls(normal));
  // EIP-2335 removes control codes after it has normalized, so that marks which one has kept apart may be out of order.
  if (HasControls(text)) return 0;
  const auto again = Password::FromText(password->bytes());
  // Longer than the input, it may be too long.
  Require(again.ok() ? again->bytes() == password->bytes() : normal.size() > lean::validator::kMaxPasswordBytes);
  return 0;
}
