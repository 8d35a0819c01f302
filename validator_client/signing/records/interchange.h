// Signing records as a JSON file, in the manner of EIP-3076 (docs/signing_records.md has the schema).
#ifndef LEAN_VALIDATOR_CLIENT_SIGNING_RECORDS_INTERCHANGE_H_
#define LEAN_VALIDATOR_CLIENT_SIGNING_RECORDS_INTERCHANGE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "validator_client/signing/records/signed_history.h"

namespace lean::validator {

// Room for 32 leaves of each of 16,000 keys.
inline constexpr size_t kMaxInterchangeBytes = size_t{64} << 20;

enum class InterchangeForm {
  kLeaves,       // every kept leaf with its root
  kHighestOnly,  // a key's highest slot alone: nothing is granted again from it
};

std::string FormatInterchange(const std::vector<KeyHistory>& histories, InterchangeForm form);

// InvalidArgument, with the path of the value ("data[3].signed_leaves[0].slot: ..") or the line and column: no JSON, a
// field that is missing, unknown, of another type or twice there, another format or version, a slot of 2^32 or more.
absl::StatusOr<std::vector<KeyHistory>> ParseInterchange(absl::string_view text);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_SIGNING_RECORDS_INTERCHANGE_H_
