// Validator indices as an option names them.
#ifndef LEAN_VALIDATOR_CLIENT_COMMANDS_INDEX_LIST_H_
#define LEAN_VALIDATOR_CLIENT_COMMANDS_INDEX_LIST_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace lean::validator {

// "0..3", "0,2,5" or both, "0..3,8": in the order given. InvalidArgument: not of this form, an index of 4096 or more
// (the registry's limit), or one that stands twice.
absl::StatusOr<std::vector<uint64_t>> ParseIndexList(absl::string_view text);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_COMMANDS_INDEX_LIST_H_
