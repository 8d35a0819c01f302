#include "beacon/storage/chain_database.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "beacon/chain/state_transition.h"
#include "beacon/storage/schema.h"
#include "beacon/storage/state_snapshot.h"
#include "common/bytes/hex.h"
#include "common/ssz/ssz.h"

namespace lean::beacon {
namespace {

std::string Name(absl::string_view what, const Checkpoint& id) {
  return absl::StrCat(what, " ", ShortHex(id.root.span()), " of slot ", id.slot);
}

// From a snapshot, or genesis, to the state asked for; with more it would take too long.
constexpr uint64_t kMaxReplaySlots = 2048;

// Keys of a column that is sorted by slot and root, from a slot on.
absl::StatusOr<std::vector<Checkpoint>> KeysFrom(const Database& files, Column column, uint64_t slot) {
  std::vector<Checkpoint> keys;
  absl::Status status = files.Scan(column, NumberKey(slot), [&](absl::string_view key, absl::string_view) {
    if (const std::optional<Checkpoint> id = ParseBlockKey(key)) keys.push_back(*id);
    return true;
  });
  if (!status.ok()) return status;
  return keys;
}

}  // namespace

absl::StatusOr<std::optional<Checkpoint>> ChainDatabase::ReadCheckpoint(const char* meta_key) const {
  const auto value = files_->Get(Column::kMeta, meta_key);
  if (!value.ok()) return value.status();
  if (!value->has_value()) return std::nullopt;
  const absl::StatusOr<Checkpoint> checkpoint = ssz::Deserialize<Checkpoint>(BytesOfText(**value));
  if (!checkpoint.ok()) return Damaged(absl::StrCat("its checkpoint \"", meta_key, "\" is none"));
  return *checkpoint;
}

absl::StatusOr<uint64_t> ChainDatabase::OldestSlot() const {
  const auto value = files_->Get(Column::kMeta, meta_key::kOldest);
  if (!value.ok()) return value.status();
  const std::optional<uint64_t> slot = ParseNumberValue(value->value_or(""));
  if (!slot.has_value()) return Damaged("it does not say from where on it holds blocks");
  const absl::StatusOr<uint64_t> floor = FloorSlot();
  if (!floor.ok()) return floor.status();
  return std::max(*slot, *floor);
}

absl::StatusOr<uint64_t> ChainDatabase::FloorSlot() const {
  const auto value = files_->Get(Column::kMeta, meta_key::kFloor);
  if (!value.ok()) return value.status();
  return ParseNumberValue(value->value_or("")).value_or(1);
}

absl::StatusOr<SignedBlockPtr> ChainDatabase::BlockByRoot(const Root& root) const {
  const absl::StatusOr<std::optional<uint64_t>> slot = SlotOf(root);
  if (!slot.ok()) return slot.status();
  if (!slot->has_value()) return nullptr;
  return BlockAt({.root = root, .slot = **slot});
}

absl::StatusOr<SignedBlockPtr> ChainDatabase::BlockAt(const Checkpoint& id) const {
  const auto value = files_->Get(Column::kBlocks, BlockKey(id.slot, id.root));
  if (!value.ok()) return value.status();
  if (!value->has_value()) return nullptr;
  auto block = ssz::Deserialize<SignedBlockWithAttestation>(BytesOfText(**value));
  if (!block.ok()) return Damaged(absl::StrCat(Name("block", id), ": ", block.status().message()));
  return std::make_shared<const SignedBlockWithAttestation>(*std::move(block));
}

absl::StatusOr<std::optional<Root>> ChainDatabase::CanonicalRoot(uint64_t slot) const {
  const auto value = files_->Get(Column::kCanonical, NumberKey(slot));
  if (!value.ok()) return value.status();
  if (!value->has_value()) return std::nullopt;
  const std::optional<Root> root = ParseRootKey(**value);
  if (!root.has_value()) return Damaged(absl::StrCat("the root of slot ", slot, " is none"));
  return root;
}

absl::StatusOr<std::vector<Root>> ChainDatabase::CanonicalRoots(uint64_t end_slot) const {
  std::vector<Root> roots(end_slot);
  absl::Status status = files_->Scan(Column::kCanonical, "", [&](absl::string_view key, absl::string_view value) {
    const std::optional<uint64_t> slot = ParseNumberKey(key);
    const std::optional<Root> root = ParseRootKey(value);
    if (!slot.has_value() || *slot >= end_slot) return false;
    if (root.has_value()) roots[*slot] = *root;
    return true;
  });
  if (!status.ok()) return status;
  return roots;
}

absl::StatusOr<std::optional<uint64_t>> ChainDatabase::SlotOf(const Root& root) const {
  const auto value = files_->Get(Column::kSlots, RootKey(root));
  if (!value.ok()) return value.status();
  if (!value->has_value()) return std::nullopt;
  const std::optional<uint64_t> slot = ParseNumberValue(**value);
  if (!slot.has_value()) return Damaged(absl::StrCat("the slot of ", ShortHex(root.span()), " is none"));
  return slot;
}

absl::StatusOr<std::vector<Checkpoint>> ChainDatabase::KnownBlocks() const {
  std::vector<Checkpoint> known;
  absl::Status status = files_->Scan(Column::kSlots, "", [&](absl::string_view key, absl::string_view value) {
    const std::optional<Root> root = ParseRootKey(key);
    const std::optional<uint64_t> slot = ParseNumberValue(value);
    if (root.has_value() && slot.has_value()) known.push_back({.root = *root, .slot = *slot});
    return true;
  });
  if (!status.ok()) return status;
  return known;
}

absl::StatusOr<std::vector<Checkpoint>> ChainDatabase::HeldBlocks(uint64_t first_slot) const {
  return KeysFrom(*files_, Column::kBlocks, first_slot);
}

absl::StatusOr<std::vector<SignedVotePtr>> ChainDatabase::Votes() const {
  std::vector<SignedVotePtr> votes;
  absl::Status status = files_->Scan(Column::kVotes, "", [&](absl::string_view, absl::string_view value) {
    absl::StatusOr<SignedAttestation> vote = ssz::Deserialize<SignedAttestation>(BytesOfText(value));
    if (vote.ok()) votes.push_back(std::make_shared<const SignedAttestation>(*std::move(vote)));
    return true;
  });
  if (!status.ok()) return status;
  return votes;
}

absl::StatusOr<std::vector<Checkpoint>> ChainDatabase::Snapshots() const {
  return KeysFrom(*files_, Column::kStates, 0);
}

absl::StatusOr<std::optional<Checkpoint>> ChainDatabase::SnapshotUpTo(uint64_t slot) const {
  std::optional<Checkpoint> snapshot;
  absl::Status status =
      files_->ScanBackwards(Column::kStates, NumberKey(slot + 1), [&](absl::string_view key, absl::string_view) {
        snapshot = ParseBlockKey(key);
        return false;
      });
  if (!status.ok()) return status;
  return snapshot;
}

absl::StatusOr<StoredState> ChainDatabase::ReadSnapshot(const Checkpoint& id) const {
  const absl::StatusOr<SignedBlockPtr> block = BlockAt(id);
  if (!block.ok()) return block.status();
  if (*block == nullptr) return Damaged(absl::StrCat(Name("the block of the snapshot", id), " is not held"));
  const auto value = files_->Get(Column::kStates, BlockKey(id.slot, id.root));
  if (!value.ok()) return value.status();
  const absl::StatusOr<std::vector<Root>> history = CanonicalRoots(id.slot);
  if (!history.ok()) return history.status();
  absl::StatusOr<State> state = RestoreState(value->value_or(""), genesis_.state->validators, *history);
  if (!state.ok()) return Damaged(absl::StrCat(Name("the state of block", id), ": ", state.status().message()));
  if (ssz::HashTreeRoot(*state) != (*block)->message.block.state_root) {
    return Damaged(absl::StrCat(Name("the state of block", id), " is not the one that the block names"));
  }
  return StoredState{.state = std::make_shared<const State>(*std::move(state)), .block = *block, .root = id.root};
}

absl::StatusOr<StatePtr> ChainDatabase::StateOf(const Checkpoint& id) const {
  const absl::StatusOr<std::optional<Root>> canonical = CanonicalRoot(id.slot);
  if (!canonical.ok()) return canonical.status();
  if (*canonical != id.root) return nullptr;
  if (id.slot == 0) return genesis_.state;

  const absl::StatusOr<std::optional<Checkpoint>> snapshot = SnapshotUpTo(id.slot);
  if (!snapshot.ok()) return snapshot.status();
  StatePtr state = genesis_.state;
  uint64_t slot = 0;
  if (snapshot->has_value()) {
    absl::StatusOr<StoredState> stored = ReadSnapshot(**snapshot);
    if (!stored.ok()) return stored.status();
    state = stored->state;
    slot = (*snapshot)->slot;
  }
  if (id.slot - slot > kMaxReplaySlots) return nullptr;
  while (++slot <= id.slot) {
    const absl::StatusOr<std::optional<Root>> root = CanonicalRoot(slot);
    if (!root.ok()) return root.status();
    if (!root->has_value()) continue;
    const absl::StatusOr<SignedBlockPtr> block = BlockAt({.root = **root, .slot = slot});
    if (!block.ok()) return block.status();
    if (*block == nullptr) return nullptr;
    const Block& body = (*block)->message.block;
    absl::StatusOr<State> next = StateTransition(*state, body, ssz::HashTreeRoot(body.body));
    if (!next.ok()) return Damaged(absl::StrCat(Name("block", {**root, slot}), ": ", next.status().message()));
    state = std::make_shared<const State>(*std::move(next));
  }
  return state;
}

void ChainDatabase::PutBlock(WriteSet& writes, const Root& root, const SignedBlockWithAttestation& block) {
  const uint64_t slot = block.message.block.slot;
  writes.Put(Column::kBlocks, BlockKey(slot, root), SszValue(block));
  PutSlot(writes, {.root = root, .slot = slot});
}

void ChainDatabase::PutSlot(WriteSet& writes, const Checkpoint& id) {
  writes.Put(Column::kSlots, RootKey(id.root), NumberValue(id.slot));
}

void ChainDatabase::PutCanonical(WriteSet& writes, const Checkpoint& id) {
  writes.Put(Column::kCanonical, NumberKey(id.slot), RootKey(id.root));
}

void ChainDatabase::PutCheckpoint(WriteSet& writes, const char* meta_key, const Checkpoint& checkpoint) {
  writes.Put(Column::kMeta, meta_key, SszValue(checkpoint));
}

void ChainDatabase::PutOldestSlot(WriteSet& writes, uint64_t slot) {
  writes.Put(Column::kMeta, meta_key::kOldest, NumberValue(slot));
}

void ChainDatabase::PutFloorSlot(WriteSet& writes, uint64_t slot) {
  writes.Put(Column::kMeta, meta_key::kFloor, NumberValue(slot));
}

void ChainDatabase::DropBelow(WriteSet& writes, uint64_t slot) {
  PutFloorSlot(writes, slot);
  writes.DeleteBelow(Column::kBlocks, NumberKey(slot));
  writes.DeleteBelow(Column::kStates, NumberKey(slot));
}

void ChainDatabase::PutVote(WriteSet& writes, const SignedAttestation& vote) {
  writes.Put(Column::kVotes, NumberKey(vote.message.validator_id), SszValue(vote));
}

void ChainDatabase::PutSnapshot(WriteSet& writes, const Checkpoint& id, const State& state) {
  writes.Put(Column::kStates, BlockKey(id.slot, id.root), ReduceState(state));
}

}  // namespace lean::beacon
