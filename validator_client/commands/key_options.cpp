#include "validator_client/commands/key_options.h"

#include <filesystem>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/bytes/decimal.h"
#include "common/containers/limits.h"
#include "common/status/status_macros.h"

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

absl::StatusOr<uint64_t> ParseIndex(absl::string_view text) {
  const std::optional<uint64_t> index = ParseDecimal(text);
  if (!index.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat("'", text, "' is not an index: expected a list like 0..3 or 0,2,5"));
  }
  if (*index >= kValidatorRegistryLimit) {
    return absl::InvalidArgumentError(
        absl::StrCat("index ", text, " is too large: a registry has at most ", kValidatorRegistryLimit, " validators"));
  }
  return *index;
}

}  // namespace

absl::StatusOr<const Password*> KeystorePassword::Get() {
  if (!password_.has_value()) {
    ASSIGN_OR_RETURN(password_, file_.empty()
                                    ? PromptPassword(PromptOf(kind_), OptionOf(kind_), /*confirm=*/kind_ == kNew, stop_)
                                    : ReadPasswordFile(file_));
  }
  return &*password_;
}

absl::StatusOr<const Password*> KeystorePassword::GetIfAtHand() {
  if (!password_.has_value() && file_.empty()) return nullptr;
  return Get();
}

absl::StatusOr<std::vector<uint64_t>> ParseIndexList(absl::string_view text) {
  std::vector<uint64_t> indices;
  absl::flat_hash_set<uint64_t> seen;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    const std::pair<absl::string_view, absl::string_view> range = absl::StrSplit(part, absl::MaxSplits("..", 1));
    const bool is_range = part.find("..") != absl::string_view::npos;
    ASSIGN_OR_RETURN(const uint64_t first, ParseIndex(range.first));
    ASSIGN_OR_RETURN(const uint64_t last, is_range ? ParseIndex(range.second) : first);
    if (last < first) return absl::InvalidArgumentError(absl::StrCat("'", part, "' ends before it begins"));
    for (uint64_t index = first; index <= last; ++index) {
      if (!seen.insert(index).second)
        return absl::InvalidArgumentError(absl::StrCat("index ", index, " appears twice"));
      indices.push_back(index);
    }
  }
  return indices;
}

std::string RecordsPath(const std::string& records, const std::string& keystores) {
  if (!records.empty()) return records;
  return (std::filesystem::path(keystores).parent_path() / "signing_records.sqlite").string();
}

}  // namespace lean::validator
