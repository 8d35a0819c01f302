#include "beacon/storage/database/state_snapshot.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "beacon/storage/database/schema.h"
#include "common/ssz/ssz.h"

namespace lean::beacon {

std::string ReduceState(const State& state) {
  State reduced = state;
  reduced.historical_block_hashes = HistoricalBlockHashes();
  reduced.validators = Validators();
  return SszValue(reduced);
}

bool IsSnapshotDue(const State& post_state, uint64_t distance) {
  const HistoricalBlockHashes& history = post_state.historical_block_hashes;
  uint64_t parent_slot = history.size();
  while (parent_slot > 0 && history[--parent_slot].IsZero()) {
  }
  return post_state.slot / distance > parent_slot / distance;
}

absl::StatusOr<State> RestoreState(absl::string_view reduced, const Validators& validators,
                                   absl::Span<const Root> history, const HistoricalBlockHashes& like) {
  absl::StatusOr<State> state = ssz::Deserialize<State>(BytesOfText(reduced));
  if (!state.ok()) return absl::DataLossError(absl::StrCat("snapshot: ", state.status().message()));
  state->historical_block_hashes = like;
  if (absl::Status status = state->historical_block_hashes.Assign(history); !status.ok()) {
    return absl::DataLossError(absl::StrCat("snapshot: ", status.message()));
  }
  state->validators = validators;
  return state;
}

}  // namespace lean::beacon
