// How keys and values of the database look. Version 1:
//
//   column     key                          value
//   meta       "schema"                     u64: the version
//              "genesis"                    SSZ(State): the genesis state
//              "network"                    the network's name, for people
//              "anchor"                     checkpoint that the database began with: genesis, or where it was told to
//              "oldest"                     u64: bodies of all canonical blocks are held from this slot on, or from
//                                           "floor" on, if that is higher
//              "floor"                      u64: bodies below this slot are not wanted (--keep-slots); 1 when not given
//              "head" "justified" "finalized"   checkpoints, as of the last batch
//   slots      root                         u64: slot of every block ever imported, orphans included
//   blocks     slot, root                   SSZ(SignedBlockWithAttestation)
//   canonical  slot                         root; slots up to the finalized one that have a block
//              slot, root                   root of the parent, of every block above the finalized one. An older
//              program
//                                           does not look there, and may have left such a block out.
//   states     slot, root of the block      reduced state (state_snapshot.h); up to the finalized block of canonical
//   ones votes      validator                    SSZ(SignedAttestation)
//
// A slot or validator is a big-endian u64 in a key, so that keys sort by it; a u64 in a value is little-endian. A
// checkpoint is its SSZ.
#ifndef LEAN_BEACON_STORAGE_DATABASE_SCHEMA_H_
#define LEAN_BEACON_STORAGE_DATABASE_SCHEMA_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/bytes/bytes.h"
#include "common/containers/checkpoint.h"
#include "common/ssz/ssz.h"

namespace lean::beacon {

inline constexpr uint64_t kSchemaVersion = 1;

namespace meta_key {
inline constexpr char kSchema[] = "schema";
inline constexpr char kGenesis[] = "genesis";
inline constexpr char kNetwork[] = "network";
inline constexpr char kAnchor[] = "anchor";
inline constexpr char kOldest[] = "oldest";
inline constexpr char kFloor[] = "floor";
inline constexpr char kHead[] = "head";
inline constexpr char kJustified[] = "justified";
inline constexpr char kFinalized[] = "finalized";
}  // namespace meta_key

// Keys.
std::string NumberKey(uint64_t number);
std::string RootKey(const Root& root);
std::string BlockKey(uint64_t slot, const Root& root);
// nullopt: not such a key.
std::optional<uint64_t> ParseNumberKey(absl::string_view key);
std::optional<Root> ParseRootKey(absl::string_view key);
std::optional<Checkpoint> ParseBlockKey(absl::string_view key);

// Values.
std::string NumberValue(uint64_t number);
std::optional<uint64_t> ParseNumberValue(absl::string_view value);

template <typename T>
std::string SszValue(const T& container) {
  const std::vector<uint8_t> bytes = ssz::Serialize(container);
  return std::string(bytes.begin(), bytes.end());
}

inline ByteSpan BytesOfText(absl::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

}  // namespace lean::beacon

#endif  // LEAN_BEACON_STORAGE_DATABASE_SCHEMA_H_
