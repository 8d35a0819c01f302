#include "validator_client/commands/index_list.h"

#include <optional>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/bytes/decimal.h"
#include "common/containers/limits.h"

namespace lean::validator {
namespace {

absl::StatusOr<uint64_t> ParseIndex(absl::string_view text) {
  const std::optional<uint64_t> index = ParseDecimal(text);
  if (!index.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat("'", text, "' is no index: expected a list like 0..3 or 0,2,5"));
  }
  if (*index >= kValidatorRegistryLimit) {
    return absl::InvalidArgumentError(
        absl::StrCat("index ", text, " is too large: a registry has at most ", kValidatorRegistryLimit, " validators"));
  }
  return *index;
}

}  // namespace

absl::StatusOr<std::vector<uint64_t>> ParseIndexList(absl::string_view text) {
  std::vector<uint64_t> indices;
  absl::flat_hash_set<uint64_t> seen;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    const std::pair<absl::string_view, absl::string_view> range = absl::StrSplit(part, absl::MaxSplits("..", 1));
    const bool is_range = part.find("..") != absl::string_view::npos;
    const absl::StatusOr<uint64_t> first = ParseIndex(range.first);
    if (!first.ok()) return first.status();
    const absl::StatusOr<uint64_t> last = is_range ? ParseIndex(range.second) : first;
    if (!last.ok()) return last.status();
    if (*last < *first) return absl::InvalidArgumentError(absl::StrCat("'", part, "' ends before it begins"));
    for (uint64_t index = *first; index <= *last; ++index) {
      if (!seen.insert(index).second) return absl::InvalidArgumentError(absl::StrCat("index ", index, " stands twice"));
      indices.push_back(index);
    }
  }
  return indices;
}

}  // namespace lean::validator
