#include "beacon/storage/database/schema.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/ssz/ssz.h"
#include "common/status/status_macros.h"

namespace lean::beacon {
namespace {

constexpr size_t kNumberBytes = sizeof(uint64_t);

// Bytes of a number, least significant first.
std::string LittleEndian(uint64_t number) {
  std::string bytes(kNumberBytes, '\0');
  for (char& byte : bytes) {
    byte = static_cast<char>(number & 0xff);
    number >>= 8;
  }
  return bytes;
}

uint64_t FromLittleEndian(absl::string_view bytes) {
  uint64_t number = 0;
  for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte) number = number << 8 | static_cast<uint8_t>(*byte);
  return number;
}

}  // namespace

std::string NumberKey(uint64_t number) {
  std::string bytes = LittleEndian(number);
  std::reverse(bytes.begin(), bytes.end());
  return bytes;
}

std::string RootKey(const Root& root) { return std::string(root.data.begin(), root.data.end()); }

std::string BlockKey(uint64_t slot, const Root& root) { return absl::StrCat(NumberKey(slot), RootKey(root)); }

std::optional<uint64_t> ParseNumberKey(absl::string_view key) {
  if (key.size() != kNumberBytes) return std::nullopt;
  return FromLittleEndian(std::string(key.rbegin(), key.rend()));
}

std::optional<Root> ParseRootKey(absl::string_view key) {
  Root root;
  if (key.size() != root.data.size()) return std::nullopt;
  std::copy(key.begin(), key.end(), root.data.begin());
  return root;
}

std::optional<Checkpoint> ParseBlockKey(absl::string_view key) {
  if (key.size() != kNumberBytes + Root::kSize) return std::nullopt;
  return Checkpoint{.root = *ParseRootKey(key.substr(kNumberBytes)),
                    .slot = *ParseNumberKey(key.substr(0, kNumberBytes))};
}

std::string NumberValue(uint64_t number) { return LittleEndian(number); }

std::optional<uint64_t> ParseNumberValue(absl::string_view value) {
  if (value.size() != kNumberBytes) return std::nullopt;
  return FromLittleEndian(value);
}

std::string ReduceState(const State& state) {
  State reduced = state;
  reduced.historical_block_hashes = HistoricalBlockHashes();
  reduced.validators = Validators();
  return ssz::SerializeToString(reduced);
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
  ASSIGN_OR_RETURN(State state, ssz::Deserialize<State>(BytesOfText(reduced)),
                   absl::DataLossError(absl::StrCat("snapshot: ", _.message())));
  if (state.historical_block_hashes.size() != 0 || state.validators.size() != 0) {
    return absl::DataLossError("snapshot: a state with its registry or its historical roots");
  }
  state.historical_block_hashes = like;
  RETURN_IF_ERROR(state.historical_block_hashes.Assign(history),
                  absl::DataLossError(absl::StrCat("snapshot: ", _.message())));
  state.validators = validators;
  return state;
}

}  // namespace lean::beacon
