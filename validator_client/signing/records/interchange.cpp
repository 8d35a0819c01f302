#include "validator_client/signing/records/interchange.h"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/bytes/bytes.h"
#include "common/bytes/decimal.h"
#include "common/config/json_document.h"
#include "common/status/status_macros.h"

namespace lean::validator {
namespace {

using nlohmann::json;

constexpr char kFormat[] = "lean-signing-records";
constexpr char kVersion[] = "1";
constexpr size_t kMaxDepth = 8;

absl::Status At(const std::string& path, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(path.empty() ? "the document" : path, ": ", what));
}

std::string Join(const std::string& path, absl::string_view field) {
  return path.empty() ? std::string(field) : absl::StrCat(path, ".", field);
}

// An object whose fields are in `allowed`. An unknown field is an error, since its meaning may matter.
absl::Status CheckObject(const json& value, const std::string& path, std::initializer_list<absl::string_view> allowed) {
  if (!value.is_object()) return At(path, absl::StrCat("expected an object, is ", value.type_name()));
  for (const auto& [name, ignored] : value.items()) {
    if (std::find(allowed.begin(), allowed.end(), name) == allowed.end()) {
      return At(Join(path, absl::CHexEscape(name)),
                absl::StrCat("is not known here; known are ", absl::StrJoin(allowed, ", ")));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<const json*> Field(const json& object, const std::string& path, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) return At(Join(path, name), "is missing");
  return &*found;
}

absl::StatusOr<std::string> StringField(const json& object, const std::string& path, const char* name) {
  ASSIGN_OR_RETURN(const json* value, Field(object, path, name));
  if (!value->is_string()) {
    return At(Join(path, name), absl::StrCat("expected a string, is ", value->type_name()));
  }
  return value->get_ref<const std::string&>();
}

absl::StatusOr<const json*> ArrayField(const json& object, const std::string& path, const char* name) {
  const absl::StatusOr<const json*> value = Field(object, path, name);
  if (value.ok() && !(*value)->is_array()) {
    return At(Join(path, name), absl::StrCat("expected an array, is ", (*value)->type_name()));
  }
  return value;
}

template <typename B>
absl::StatusOr<B> BytesField(const json& object, const std::string& path, const char* name) {
  ASSIGN_OR_RETURN(const std::string text, StringField(object, path, name));
  ASSIGN_OR_RETURN(B bytes, ParseFixedHex<B>(text), At(Join(path, name), _.message()));
  return bytes;
}

absl::StatusOr<uint64_t> SlotField(const json& object, const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, StringField(object, path, "slot"));
  const std::optional<uint64_t> slot = ParseDecimal(text);
  if (!slot.has_value()) return At(Join(path, "slot"), "expected a number in decimal digits");
  if (*slot >= kMaxLeaves) return At(Join(path, "slot"), "no key has a leaf of 2^32 or more");
  return *slot;
}

absl::Status CheckMetadata(const json& document) {
  ASSIGN_OR_RETURN(const json* metadata, Field(document, "", "metadata"));
  const std::string path = "metadata";
  RETURN_IF_ERROR(CheckObject(*metadata, path, {"interchange_format", "interchange_format_version"}));
  ASSIGN_OR_RETURN(const std::string format, StringField(*metadata, path, "interchange_format"));
  if (format != kFormat) return At(Join(path, "interchange_format"), absl::StrCat("expected \"", kFormat, "\""));
  ASSIGN_OR_RETURN(const std::string version, StringField(*metadata, path, "interchange_format_version"));
  if (version != kVersion) {
    return At(Join(path, "interchange_format_version"),
              absl::StrCat("expected \"", kVersion, "\": use a version of this program that knows the file's"));
  }
  return absl::OkStatus();
}

absl::StatusOr<SignedLeaf> ParseLeaf(const json& value, const std::string& path) {
  RETURN_IF_ERROR(CheckObject(value, path, {"slot", "signing_root"}));
  SignedLeaf leaf;
  ASSIGN_OR_RETURN(leaf.slot, SlotField(value, path));
  if (value.contains("signing_root")) {
    ASSIGN_OR_RETURN(leaf.root, BytesField<Root>(value, path, "signing_root"));
  }
  return leaf;
}

absl::StatusOr<KeyHistory> ParseHistory(const json& value, const std::string& path) {
  RETURN_IF_ERROR(CheckObject(value, path, {"pubkey", "signed_leaves"}));
  KeyHistory history;
  ASSIGN_OR_RETURN(history.pubkey, BytesField<PublicKeyBytes>(value, path, "pubkey"));
  ASSIGN_OR_RETURN(const json* leaves, ArrayField(value, path, "signed_leaves"));
  for (size_t i = 0; i < leaves->size(); ++i) {
    ASSIGN_OR_RETURN(const SignedLeaf leaf, ParseLeaf((*leaves)[i], absl::StrCat(path, ".signed_leaves[", i, "]")));
    history.leaves.push_back(leaf);
  }
  return history;
}

}  // namespace

std::string FormatInterchange(const std::vector<KeyHistory>& histories, InterchangeForm form) {
  nlohmann::ordered_json document;
  document["metadata"] = {{"interchange_format", kFormat}, {"interchange_format_version", kVersion}};
  document["data"] = nlohmann::ordered_json::array();
  for (const KeyHistory& history : histories) {
    auto leaves = nlohmann::ordered_json::array();
    uint64_t highest = 0;
    for (const SignedLeaf& leaf : history.leaves) {
      highest = std::max(highest, leaf.slot);
      if (form == InterchangeForm::kHighestOnly) continue;
      nlohmann::ordered_json entry = {{"slot", absl::StrCat(leaf.slot)}};
      if (leaf.root.has_value()) entry["signing_root"] = ToHex(leaf.root->span());
      leaves.push_back(std::move(entry));
    }
    if (form == InterchangeForm::kHighestOnly && !history.leaves.empty()) {
      leaves.push_back({{"slot", absl::StrCat(highest)}});
    }
    document["data"].push_back({{"pubkey", ToHex(history.pubkey.span())}, {"signed_leaves", std::move(leaves)}});
  }
  return document.dump(2) + "\n";
}

absl::StatusOr<std::vector<KeyHistory>> ParseInterchange(absl::string_view text) {
  ASSIGN_OR_RETURN(const json document, ParseJson(text, kMaxDepth));
  RETURN_IF_ERROR(CheckObject(document, "", {"metadata", "data"}));
  RETURN_IF_ERROR(CheckMetadata(document));
  ASSIGN_OR_RETURN(const json* data, ArrayField(document, "", "data"));
  std::vector<KeyHistory> histories;
  for (size_t i = 0; i < data->size(); ++i) {
    ASSIGN_OR_RETURN(KeyHistory history, ParseHistory((*data)[i], absl::StrCat("data[", i, "]")));
    histories.push_back(std::move(history));
  }
  return histories;
}

}  // namespace lean::validator
