#include "common/log/log_line.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace lean {
namespace {

constexpr size_t kEventColumn = 24;

bool IsNameCharacter(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_'; }

// The bytes of the name if a field begins here: `name=`. 0 if none does.
size_t FieldName(absl::string_view text) {
  const auto* const end = std::find_if_not(text.begin(), text.end(), IsNameCharacter);
  const size_t size = static_cast<size_t>(end - text.begin());
  return size > 0 && size < text.size() && text[size] == '=' ? size : 0;
}

// Where the first field begins; the size of the text if it has none.
size_t EventSize(absl::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const bool begins = i == 0 || text[i - 1] == ' ';
    if (begins && FieldName(text.substr(i)) > 0) return i;
  }
  return text.size();
}

// Takes the value of a field from the front of the text: in quotes, or up to the next space.
absl::string_view TakeValue(absl::string_view& text) {
  const bool quoted = !text.empty() && text[0] == '"';
  if (quoted) text.remove_prefix(1);
  const size_t end = std::min(text.find(quoted ? '"' : ' '), text.size());
  const absl::string_view value = text.substr(0, end);
  text.remove_prefix(std::min(end + (quoted ? 1 : 0), text.size()));
  return value;
}

void AddString(absl::string_view value, std::string& line) {
  line += '"';
  for (const char c : value) {
    if (c == '"' || c == '\\') line += '\\';
    line += c;
  }
  line += '"';
}

void AddField(absl::string_view name, absl::string_view value, std::string& line) {
  if (line.size() > 1) line += ',';
  AddString(name, line);
  line += ':';
  AddString(value, line);
}

}  // namespace

std::string JsonLine(absl::string_view time, absl::string_view level, absl::string_view part, absl::string_view text) {
  std::string line = "{";
  AddField("time", time, line);
  AddField("level", level, line);
  if (!part.empty()) AddField("part", part, line);
  const size_t event = EventSize(text);
  if (event > 0 && event < text.size()) {
    AddField("event", absl::StripAsciiWhitespace(text.substr(0, event)), line);
    text.remove_prefix(event);
  }
  while (!text.empty()) {
    const size_t name_size = FieldName(text);
    if (name_size == 0) {
      AddField("message", text, line);
      break;
    }
    const absl::string_view name = text.substr(0, name_size);
    text.remove_prefix(name_size + 1);
    AddField(name, TakeValue(text), line);
    // A colon may follow a value: `beacon=one offset_ms=+9: check the time`.
    text = absl::StripLeadingAsciiWhitespace(text);
  }
  line += '}';
  return line;
}

std::string Aligned(absl::string_view text) {
  const size_t event = EventSize(text);
  if (event == text.size() || event > kEventColumn) return std::string(text);
  return absl::StrCat(text.substr(0, event), std::string(kEventColumn - event, ' '), text.substr(event));
}

std::string WithoutNumbers(absl::string_view text) {
  const auto is_digit = [](char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); };
  // Digits beside these are part of a name, an address or a root.
  const auto joins = [](char c) { return IsNameCharacter(c) || c == '.' || c == ':'; };
  std::string result;
  for (size_t i = 0; i < text.size();) {
    size_t end = i;
    while (end < text.size() && is_digit(text[end])) ++end;
    const bool joined = (i > 0 && joins(text[i - 1])) || (end < text.size() && IsNameCharacter(text[end])) ||
                        (end + 1 < text.size() && text[end] == '.' && is_digit(text[end + 1]));
    if (end == i) ++end;
    if (joined || !is_digit(text[i])) absl::StrAppend(&result, text.substr(i, end - i));
    i = end;
  }
  return result;
}

}  // namespace lean
