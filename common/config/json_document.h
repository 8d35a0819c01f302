// JSON from a file that nobody has checked.
#ifndef LEAN_COMMON_CONFIG_JSON_DOCUMENT_H_
#define LEAN_COMMON_CONFIG_JSON_DOCUMENT_H_

#include <cstddef>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"

namespace lean {

// Stricter than the grammar: no field stands twice in an object, nothing is nested deeper than `max_depth`.
// InvalidArgument names line and column, or the path of the value. No exceptions. `text` is bounded by the caller.
absl::StatusOr<nlohmann::json> ParseJson(absl::string_view text, size_t max_depth);

}  // namespace lean

#endif  // LEAN_COMMON_CONFIG_JSON_DOCUMENT_H_
