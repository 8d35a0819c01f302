// One file with keys and what they have signed, for the way from one machine to another (docs/moving_keys.md).
#ifndef LEAN_VALIDATOR_CLIENT_COMMANDS_KEYS_KEY_BUNDLE_H_
#define LEAN_VALIDATOR_CLIENT_COMMANDS_KEYS_KEY_BUNDLE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "validator_client/keys/keystore/keystore_json.h"
#include "validator_client/signing/records/interchange.h"

namespace lean::validator {

// Room for 4,096 keys with the records of 32 slots.
inline constexpr size_t kMaxBundleBytes = size_t{64} << 20;

struct BundledKey {
  uint64_t index = 0;  // in the validator registry
  EncryptedKeystore keystore;
};

// Contains nothing secret.
struct KeyBundle {
  std::vector<BundledKey> keys;       // at least one, of version 5
  std::vector<KeyHistory> histories;  // one for each key, in the same order; empty for a key that has signed nothing
};

// InvalidArgument with the path of the value: a malformed document or keystore; a duplicate key or index; records of
// other keys than those in it, or a key whose records are missing or end below its state.
absl::StatusOr<KeyBundle> ParseKeyBundle(absl::string_view text);

// The keys of these validators (empty: all) in a file. nullopt: it is another kind of file, such as a keystore, or a
// folder. InvalidArgument: a malformed bundle, or one without a validator of `indices`.
absl::StatusOr<std::optional<KeyBundle>> ReadKeyBundle(const std::string& file, const std::vector<uint64_t>& indices);

std::string FormatKeyBundle(const KeyBundle& bundle);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_COMMANDS_KEYS_KEY_BUNDLE_H_
