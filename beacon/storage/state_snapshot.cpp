#include "beacon/storage/state_snapshot.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "beacon/storage/schema.h"
#include "common/ssz/ssz.h"

namespace lean::beacon {

std::string ReduceState(const State& state) {
  State reduced = state;
  reduced.historical_block_hashes = HistoricalBlockHashes();
  reduced.validators = Validators();
  return SszValue(reduced);
}

absl::StatusOr<State> RestoreState(absl::string_view reduced, const Validators& validators,
                                   const std::vector<Root>& history) {
  absl::StatusOr<State> state = ssz::Deserialize<State>(BytesOfText(reduced));
  if (!state.ok()) return absl::DataLossError(absl::StrCat("snapshot: ", state.status().message()));
  absl::StatusOr<HistoricalBlockHashes> roots = HistoricalBlockHashes::FromVector(history);
  if (!roots.ok()) return absl::DataLossError(absl::StrCat("snapshot: ", roots.status().message()));
  state->historical_block_hashes = *std::move(roots);
  state->validators = validators;
  return state;
}

}  // namespace lean::beacon
