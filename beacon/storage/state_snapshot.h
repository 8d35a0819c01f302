// States as the database keeps them: without the two lists that it has elsewhere. The registry is the genesis state's,
// and the historical roots are the canonical column; what is left of a state of 4096 validators is a few kilobytes.
#ifndef LEAN_BEACON_STORAGE_STATE_SNAPSHOT_H_
#define LEAN_BEACON_STORAGE_STATE_SNAPSHOT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/bytes/bytes.h"
#include "common/containers/state.h"

namespace lean::beacon {

// The state's SSZ with both lists empty. The registry must be the genesis state's (it is constant in pq-devnet-1).
std::string ReduceState(const State& state);

// The state again. `history`: its historical roots, zero for slots without a block. kDataLoss: not a reduced state.
// Whether it is the right one its root tells (the block's state root), which the caller compares.
absl::StatusOr<State> RestoreState(absl::string_view reduced, const Validators& validators,
                                   const std::vector<Root>& history);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_STORAGE_STATE_SNAPSHOT_H_
