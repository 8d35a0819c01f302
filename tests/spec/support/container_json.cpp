#include "tests/spec/support/container_json.h"

#include "absl/strings/ascii.h"
#include "common/status/status_macros.h"

namespace lean::spec {

std::string CamelCase(absl::string_view snake_case) {
  std::string name;
  bool upper = false;
  for (const char c : snake_case) {
    if (c == '_') {
      upper = true;
      continue;
    }
    name.push_back(upper ? absl::ascii_toupper(static_cast<unsigned char>(c)) : c);
    upper = false;
  }
  return name;
}

absl::StatusOr<const nlohmann::json*> ListData(const nlohmann::json& json) {
  if (!json.is_object()) return absl::InvalidArgumentError("expected an object with data");
  const auto data = json.find("data");
  if (data == json.end() || !data->is_array()) return absl::InvalidArgumentError("expected an array named data");
  return &*data;
}

absl::Status LoadJson(const nlohmann::json& json, uint64_t& out) {
  if (!json.is_number_unsigned()) return absl::InvalidArgumentError("expected an unsigned number");
  out = json.get<uint64_t>();
  return absl::OkStatus();
}

absl::Status LoadJson(const nlohmann::json& json, absl::Span<uint8_t> out) {
  if (!json.is_string()) return absl::InvalidArgumentError("expected hex text");
  return ParseHexInto(json.get_ref<const std::string&>(), out);
}

absl::StatusOr<ssz::Bits> BitsFromJson(const nlohmann::json& json) {
  ASSIGN_OR_RETURN(const nlohmann::json* data, ListData(json));
  ssz::Bits bits(data->size());
  for (size_t i = 0; i < bits.size(); ++i) {
    const nlohmann::json& bit = (*data)[i];
    if (!bit.is_boolean()) return absl::InvalidArgumentError("expected true or false");
    bits.Set(i, bit.get<bool>());
  }
  return bits;
}

}  // namespace lean::spec
