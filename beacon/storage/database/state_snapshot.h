// States as the database keeps them: without the two lists that it has elsewhere. The registry is the genesis state's,
// and the historical roots are in the canonical column; what is left of a state of 4096 validators is a few kilobytes,
// and for each root that is being voted on 512 bytes: about two for each integer up to the root of the slots since
// finality, so 100 KB after 10,000 of them.
#ifndef LEAN_BEACON_STORAGE_DATABASE_STATE_SNAPSHOT_H_
#define LEAN_BEACON_STORAGE_DATABASE_STATE_SNAPSHOT_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/bytes/bytes.h"
#include "common/containers/state.h"

namespace lean::beacon {

// The state's SSZ with both lists empty. The registry must be the genesis state's (it is constant in pq-devnet-1).
std::string ReduceState(const State& state);

// True when a state is to be kept of a branch that has one every `distance` slots: none of its blocks before this one
// is in the same stretch of so many slots. So there are fewer than `distance` blocks from one to the next.
bool IsSnapshotDue(const State& post_state, uint64_t distance);

// The state again. `history`: its historical roots, zero for slots without a block; what they have in common with
// `like` takes no memory of its own. kDataLoss: not a reduced state. Whether it is the right one its root tells (the
// block's state root), which the caller compares.
absl::StatusOr<State> RestoreState(absl::string_view reduced, const Validators& validators,
                                   absl::Span<const Root> history, const HistoricalBlockHashes& like = {});

}  // namespace lean::beacon

#endif  // LEAN_BEACON_STORAGE_DATABASE_STATE_SNAPSHOT_H_
