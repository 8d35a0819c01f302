#include "validator_client/log_text.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace lean::validator {
namespace {

constexpr size_t kMaxText = 200;

}  // namespace

std::string Printable(absl::string_view text) {
  std::string result(text.substr(0, kMaxText));
  for (size_t i = 0; i < result.size(); ++i) {
    const auto byte = static_cast<unsigned char>(result[i]);
    if (byte < 0x20 || byte == 0x7f) result[i] = ' ';
    if (byte == '"') result[i] = '\'';
    // U+0080 to U+009F in UTF-8: control characters as well, one of which begins a terminal's commands.
    const auto next = static_cast<unsigned char>(i + 1 < result.size() ? result[i + 1] : 0);
    if (byte == 0xc2 && next >= 0x80 && next <= 0x9f) result[i] = result[i + 1] = ' ';
  }
  if (text.size() > kMaxText) result += "...";
  return result;
}

std::string StatusText(const absl::Status& status) {
  return Printable(
      absl::StrCat(absl::AsciiStrToLower(absl::StatusCodeToString(status.code())), ": ", status.message()));
}

}  // namespace lean::validator
