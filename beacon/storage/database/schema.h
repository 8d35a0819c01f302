// The keys and values of the database. Version 1:
//
//   column     key                 value
//   meta       "schema"            u64: the version
//              "genesis"           SSZ(State): the genesis state
//              "network"           the network's name, for people
//              "anchor"            the checkpoint that the database started from
//              "oldest"            u64: bodies of all canonical blocks are held from this slot, or from "floor"
//                                  if that is higher
//              "floor"             u64: bodies below this slot are not kept (--keep-slots); 1 by default
//              "head"              checkpoint as of the last batch; also "justified" and "finalized"
//   slots      root                u64: slot of every imported block, orphans included
//   blocks     slot, root          SSZ(SignedBlockWithAttestation)
//   canonical  slot                root, for slots up to the finalized one that have a block
//              slot, root          parent's root, for every block above the finalized one. An older program does
//                                  not read these keys and may have left out such a block.
//   states     slot, block's root  reduced state; below the finalized block of canonical blocks only
//   votes      validator           SSZ(SignedAttestation)
//
// A slot or validator in a key is a big-endian u64, so that keys sort by it. A u64 in a value is little-endian. A
// checkpoint is its SSZ.
#ifndef LEAN_BEACON_STORAGE_DATABASE_SCHEMA_H_
#define LEAN_BEACON_STORAGE_DATABASE_SCHEMA_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/bytes/bytes.h"
#include "common/containers/attestation.h"
#include "common/containers/state.h"
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
// nullopt: the key has another form.
std::optional<uint64_t> ParseNumberKey(absl::string_view key);
std::optional<Root> ParseRootKey(absl::string_view key);
std::optional<Checkpoint> ParseBlockKey(absl::string_view key);

// Values.
std::string NumberValue(uint64_t number);
std::optional<uint64_t> ParseNumberValue(absl::string_view value);

// States as the database keeps them: without the registry, which is the genesis state's, and without the historical
// roots, which are in the canonical column. What is left of a state of 4096 validators is a few kilobytes, plus 512
// bytes for each root that is being voted on: 100 KB after 10,000 slots without finality.

// States as the database keeps them: without the registry, which is the genesis state's, and without the historical
// roots, which are in the canonical column. What is left of a state of 4096 validators is a few kilobytes, plus 512
// bytes for each root that is being voted on: 100 KB after 10,000 slots without finality.

// The state's SSZ with both lists empty. The registry must be the genesis state's (it is constant in pq-devnet-1).
std::string ReduceState(const State& state);

// True when the database keeps this state: it keeps the first state of a branch in every stretch of `distance` slots,
// so that fewer than `distance` blocks lie between two kept states.
bool IsSnapshotDue(const State& post_state, uint64_t distance);

// Restores a reduced state. `history`: its historical roots, zero for slots without a block; the part that equals
// `like` is shared with it. kDataLoss: not a reduced state. The caller compares the state's root with the block's.
absl::StatusOr<State> RestoreState(absl::string_view reduced, const Validators& validators,
                                   absl::Span<const Root> history, const HistoricalBlockHashes& like = {});

}  // namespace lean::beacon

#endif  // LEAN_BEACON_STORAGE_DATABASE_SCHEMA_H_
