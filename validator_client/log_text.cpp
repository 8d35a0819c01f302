#include "validator_client/log_text.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace lean::validator {
namespace {

constexpr size_t kMaxText = 200;

}  // namespace

std::string Printable(absl::string_view text) {
  std::string result(text.substr(0, kMaxText));
  for (char& character : result) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte < 0x20 || byte == 0x7f) character = ' ';
    if (character == '"') character = '\'';
  }
  if (text.size() > kMaxText) result += "...";
  return result;
}

std::string StatusText(const absl::Status& status) {
  return Printable(
      absl::StrCat(absl::AsciiStrToLower(absl::StatusCodeToString(status.code())), ": ", status.message()));
}

}  // namespace lean::validator
