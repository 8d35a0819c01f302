#include "validator_client/keys/keystore/json_fields.h"

#include <algorithm>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/bytes/bytes.h"
#include "common/log/log_text.h"

namespace lean::validator {

using nlohmann::json;

void JsonFields::Fail(absl::string_view path, absl::string_view what) {
  if (status_.ok()) status_ = absl::InvalidArgumentError(absl::StrCat(path, ": ", what));
}

uint64_t JsonFields::Number(const std::string& path) {
  const json* value = Find(path);
  if (value == nullptr) return 0;
  if (value->is_number_unsigned()) return value->get<uint64_t>();
  Fail(path, "is not a number from 0 to 2^64 - 1");
  return 0;
}

bool JsonFields::Flag(const std::string& path) {
  const json* value = Find(path);
  if (value == nullptr) return false;
  if (value->is_boolean()) return value->get<bool>();
  Fail(path, "is neither true nor false");
  return false;
}

std::string JsonFields::Text(const std::string& path) {
  const json* value = Find(path);
  if (value == nullptr) return "";
  if (value->is_string()) return value->get<std::string>();
  Fail(path, "is not a text");
  return "";
}

std::vector<uint8_t> JsonFields::Bytes(const std::string& path) {
  const std::string text = Text(path);
  absl::StatusOr<std::vector<uint8_t>> bytes = ParseHex(text);
  if (bytes.ok()) return *std::move(bytes);
  Fail(path, bytes.status().message());
  return {};
}

void JsonFields::FixedBytes(const std::string& path, absl::Span<uint8_t> out) {
  if (absl::Status status = ParseHexInto(Text(path), out); !status.ok()) Fail(path, status.message());
}

const json* JsonFields::Array(const std::string& path) {
  const json* value = Find(path);
  if (value == nullptr || value->is_array()) return value;
  Fail(path, "is no array");
  return nullptr;
}

const json* JsonFields::Object(const std::string& path) {
  const json* value = Find(path);
  if (value == nullptr || value->is_object()) return value;
  Fail(path, "is no object");
  return nullptr;
}

void JsonFields::ExpectEmpty(const std::string& path) {
  const json* value = Find(path);
  if (value != nullptr && (!value->is_object() || !value->empty())) Fail(path, "is no empty object");
}

void JsonFields::Expect(const std::string& path, absl::string_view expected) {
  const std::string text = Text(path);
  if (text != expected) Fail(path, absl::StrCat("is not \"", expected, "\", the only one that is known here"));
}

void JsonFields::Expect(const std::string& path, uint64_t expected) {
  const uint64_t number = Number(path);
  if (number != expected) Fail(path, absl::StrCat("is ", number, ", and only ", expected, " is known here"));
}

void JsonFields::ExpectKnown(const json& object, const std::string& prefix) {
  for (const auto& [name, value] : object.items()) {
    const std::string path = absl::StrCat(prefix, name);
    // Look would read the path of a name with a dot as the fields of an inner object.
    if (absl::StrContains(name, '.')) return Fail(Printable(path), "is not known here");
    const auto next = asked_.lower_bound(path);
    const bool is_inner = next != asked_.end() && absl::StartsWith(*next, absl::StrCat(path, "."));
    if (asked_.contains(path)) continue;
    if (!is_inner) return Fail(Printable(path), "is not known here");
    ExpectKnown(value, absl::StrCat(path, "."));
  }
}

const json* JsonFields::Look(absl::string_view path) const {
  const json* value = &root_;
  while (!path.empty()) {
    const absl::string_view name = path.substr(0, path.find('.'));
    path.remove_prefix(std::min(path.size(), name.size() + 1));
    const auto found = value->is_object() ? value->find(std::string(name)) : value->end();
    if (found == value->end()) return nullptr;
    value = &*found;
  }
  return value;
}

const json* JsonFields::Find(const std::string& path) {
  asked_.insert(path);
  if (!status_.ok()) return nullptr;
  const json* value = Look(path);
  if (value == nullptr) Fail(path, "is missing");
  return value;
}

}  // namespace lean::validator
