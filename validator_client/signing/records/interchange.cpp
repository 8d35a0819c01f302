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
using nlohmann::ordered_json;

constexpr char kFormat[] = "lean-signing-records";
constexpr char kVersion[] = "1";
constexpr char kEip3076Version[] = "5";
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

// What differs between the two forms.
struct FormFields {
  const char* leaves;
  const char* attestations;  // null: the form has none
};
constexpr FormFields kOwnFields = {"signed_leaves", nullptr};
constexpr FormFields kEip3076Fields = {"signed_blocks", "signed_attestations"};

absl::Status ExpectText(const json& object, const std::string& path, const char* name, const char* expected) {
  ASSIGN_OR_RETURN(const std::string text, StringField(object, path, name));
  if (text == expected) return absl::OkStatus();
  return At(Join(path, name), absl::StrCat("expected \"", expected, "\""));
}

absl::StatusOr<FormFields> ReadMetadata(const json& document, const std::string& document_path) {
  ASSIGN_OR_RETURN(const json* metadata, Field(document, document_path, "metadata"));
  const std::string path = Join(document_path, "metadata");
  if (metadata->is_object() && metadata->contains("genesis_validators_root")) {
    RETURN_IF_ERROR(CheckObject(*metadata, path, {"interchange_format_version", "genesis_validators_root"}));
    RETURN_IF_ERROR(ExpectText(*metadata, path, "interchange_format_version", kEip3076Version));
    RETURN_IF_ERROR(BytesField<Root>(*metadata, path, "genesis_validators_root").status());
    return kEip3076Fields;
  }
  RETURN_IF_ERROR(CheckObject(*metadata, path, {"interchange_format", "interchange_format_version"}));
  RETURN_IF_ERROR(ExpectText(*metadata, path, "interchange_format", kFormat));
  RETURN_IF_ERROR(
      ExpectText(*metadata, path, "interchange_format_version", kVersion),
      absl::InvalidArgumentError(absl::StrCat(_.message(), ": use a version of this program that knows the file's")));
  return kOwnFields;
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

absl::Status ExpectNoAttestations(const json& value, const std::string& path, const char* name) {
  ASSIGN_OR_RETURN(const json* attestations, ArrayField(value, path, name));
  if (attestations->empty()) return absl::OkStatus();
  return At(Join(path, name),
            "is not empty: it does not name the slots that were signed, which are the leaves of this key. Export "
            "each vote as an entry of signed_blocks with its slot");
}

absl::StatusOr<KeyHistory> ParseHistory(const json& value, const std::string& path, const FormFields& fields) {
  if (fields.attestations == nullptr) {
    RETURN_IF_ERROR(CheckObject(value, path, {"pubkey", fields.leaves}));
  } else {
    RETURN_IF_ERROR(CheckObject(value, path, {"pubkey", fields.leaves, fields.attestations}));
    RETURN_IF_ERROR(ExpectNoAttestations(value, path, fields.attestations));
  }
  KeyHistory history;
  ASSIGN_OR_RETURN(history.pubkey, BytesField<PublicKeyBytes>(value, path, "pubkey"));
  ASSIGN_OR_RETURN(const json* leaves, ArrayField(value, path, fields.leaves));
  for (size_t i = 0; i < leaves->size(); ++i) {
    ASSIGN_OR_RETURN(const SignedLeaf leaf,
                     ParseLeaf((*leaves)[i], absl::StrCat(path, ".", fields.leaves, "[", i, "]")));
    history.leaves.push_back(leaf);
  }
  return history;
}

// The entries of one history.
ordered_json LeavesToJson(const KeyHistory& history, InterchangeForm form) {
  auto leaves = ordered_json::array();
  uint64_t highest = 0;
  for (const SignedLeaf& leaf : history.leaves) {
    highest = std::max(highest, leaf.slot);
    if (form == InterchangeForm::kHighestOnly) continue;
    ordered_json entry = {{"slot", absl::StrCat(leaf.slot)}};
    if (leaf.root.has_value()) entry["signing_root"] = ToHex(leaf.root->span());
    leaves.push_back(std::move(entry));
  }
  if (form == InterchangeForm::kHighestOnly && !history.leaves.empty()) {
    leaves.push_back({{"slot", absl::StrCat(highest)}});
  }
  return leaves;
}

ordered_json ToDocument(const std::vector<KeyHistory>& histories, InterchangeForm form, const FormFields& fields,
                        ordered_json metadata) {
  ordered_json document;
  document["metadata"] = std::move(metadata);
  document["data"] = ordered_json::array();
  for (const KeyHistory& history : histories) {
    ordered_json entry = {{"pubkey", ToHex(history.pubkey.span())}};
    entry[fields.leaves] = LeavesToJson(history, form);
    if (fields.attestations != nullptr) entry[fields.attestations] = ordered_json::array();
    document["data"].push_back(std::move(entry));
  }
  return document;
}

}  // namespace

std::string FormatInterchange(const std::vector<KeyHistory>& histories, InterchangeForm form) {
  return ToDocument(histories, form, kOwnFields,
                    {{"interchange_format", kFormat}, {"interchange_format_version", kVersion}})
             .dump(2) +
         "\n";
}

ordered_json Eip3076ToJson(const std::vector<KeyHistory>& histories, InterchangeForm form,
                           const Root& genesis_validators_root) {
  return ToDocument(histories, form, kEip3076Fields,
                    {{"interchange_format_version", kEip3076Version},
                     {"genesis_validators_root", ToHex(genesis_validators_root.span())}});
}

std::string FormatEip3076(const std::vector<KeyHistory>& histories, InterchangeForm form,
                          const Root& genesis_validators_root) {
  return Eip3076ToJson(histories, form, genesis_validators_root).dump(2) + "\n";
}

absl::StatusOr<std::vector<KeyHistory>> ReadInterchange(const json& document, const std::string& path) {
  RETURN_IF_ERROR(CheckObject(document, path, {"metadata", "data"}));
  ASSIGN_OR_RETURN(const FormFields fields, ReadMetadata(document, path));
  ASSIGN_OR_RETURN(const json* data, ArrayField(document, path, "data"));
  std::vector<KeyHistory> histories;
  for (size_t i = 0; i < data->size(); ++i) {
    ASSIGN_OR_RETURN(KeyHistory history,
                     ParseHistory((*data)[i], absl::StrCat(Join(path, "data"), "[", i, "]"), fields));
    histories.push_back(std::move(history));
  }
  return histories;
}

absl::StatusOr<std::vector<KeyHistory>> ParseInterchange(absl::string_view text) {
  ASSIGN_OR_RETURN(const json document, ParseJson(text, kMaxDepth));
  return ReadInterchange(document, "");
}

}  // namespace lean::validator
