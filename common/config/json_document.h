// Parses JSON from files that are not trusted.
#ifndef LEAN_COMMON_CONFIG_JSON_DOCUMENT_H_
#define LEAN_COMMON_CONFIG_JSON_DOCUMENT_H_

#include <cstddef>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"

namespace lean {

// Stricter than the grammar: refuses duplicate fields of an object and nesting deeper than `max_depth`. InvalidArgument
// contains the line and column, or the path of the value. Does not throw. The caller bounds `text`.
absl::StatusOr<nlohmann::json> ParseJson(absl::string_view text, size_t max_depth);

}  // namespace lean

#endif  // LEAN_COMMON_CONFIG_JSON_DOCUMENT_H_
