// Signing records as a JSON file, in our own form or in that of EIP-3076 (docs/signing_records.md has both).
#ifndef LEAN_VALIDATOR_CLIENT_SIGNING_RECORDS_INTERCHANGE_H_
#define LEAN_VALIDATOR_CLIENT_SIGNING_RECORDS_INTERCHANGE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/bytes/bytes.h"
#include "nlohmann/json_fwd.hpp"

namespace lean::validator {

// The maximum number of leaves of a key. Slots are below it.
inline constexpr uint64_t kMaxLeaves = uint64_t{1} << 32;

struct SignedLeaf {
  uint64_t slot = 0;         // below kMaxLeaves
  std::optional<Root> root;  // nullopt: unknown, or several roots; the leaf may not sign again

  friend bool operator==(const SignedLeaf&, const SignedLeaf&) = default;
};

struct KeyHistory {
  PublicKeyBytes pubkey;
  std::vector<SignedLeaf> leaves;

  friend bool operator==(const KeyHistory&, const KeyHistory&) = default;
};

// Removes the histories of all other keys.
inline void KeepOnly(const std::vector<PublicKeyBytes>& pubkeys, std::vector<KeyHistory>& histories) {
  const absl::flat_hash_set<PublicKeyBytes> kept(pubkeys.begin(), pubkeys.end());
  std::erase_if(histories, [&kept](const KeyHistory& history) { return !kept.contains(history.pubkey); });
}

// Room for 32 leaves of each of 16,000 keys.
inline constexpr size_t kMaxInterchangeBytes = size_t{64} << 20;

enum class InterchangeForm {
  kLeaves,       // all kept leaves with their roots
  kHighestOnly,  // only the highest slot of each key, without a root
};

std::string FormatInterchange(const std::vector<KeyHistory>& histories, InterchangeForm form);

// The same as an interchange file of EIP-3076, version 5, with nothing that it does not have: `signed_blocks` are the
// leaves, and `signed_attestations` are empty. `genesis_validators_root` is only written: the records hold on all
// networks.
std::string FormatEip3076(const std::vector<KeyHistory>& histories, InterchangeForm form,
                          const Root& genesis_validators_root);
nlohmann::ordered_json Eip3076ToJson(const std::vector<KeyHistory>& histories, InterchangeForm form,
                                     const Root& genesis_validators_root);

// Reads either form. InvalidArgument, with the path of the value ("data[3].signed_leaves[0].slot: ..") or the line and
// column: malformed JSON; a field that is missing, unknown, duplicate or of the wrong type; another format or version;
// a slot of 2^32 or more; an attestation, which does not name the leaf that signed it.
absl::StatusOr<std::vector<KeyHistory>> ParseInterchange(absl::string_view text);

// The same for a document that is part of another one, whose path is `path`.
absl::StatusOr<std::vector<KeyHistory>> ReadInterchange(const nlohmann::json& document, const std::string& path);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_SIGNING_RECORDS_INTERCHANGE_H_
