#include "beacon/storage/database/chain_database.h"

#include <algorithm>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "beacon/chain/state_transition.h"
#include "beacon/storage/database/schema.h"
#include "common/bytes/bytes.h"
#include "common/ssz/ssz.h"
#include "common/status/status_macros.h"

namespace lean::beacon {
namespace {

std::string Name(absl::string_view what, const Checkpoint& id) {
  return absl::StrCat(what, " ", ShortHex(id.root.span()), " of slot ", id.slot);
}

// Whether a block is `block` or one of its ancestors.
bool IsOn(const Checkpoint& id, const Checkpoint& block, absl::Span<const Root> history) {
  return id == block || (id.slot < history.size() && history[id.slot] == id.root);
}

// Reads the keys of a column that is sorted by slot and root, from a slot on.
absl::StatusOr<std::vector<Checkpoint>> KeysFrom(const Database& files, Column column, uint64_t slot) {
  std::vector<Checkpoint> keys;
  RETURN_IF_ERROR(files.Scan(column, NumberKey(slot), [&](absl::string_view key, absl::string_view) {
    if (const std::optional<Checkpoint> id = ParseBlockKey(key)) keys.push_back(*id);
    return true;
  }));
  return keys;
}

}  // namespace

absl::StatusOr<std::optional<Checkpoint>> ChainDatabase::ReadCheckpoint(const char* meta_key) const {
  ASSIGN_OR_RETURN(const auto value, files_->Get(Column::kMeta, meta_key));
  if (!value.has_value()) return std::nullopt;
  ASSIGN_OR_RETURN(const Checkpoint checkpoint, ssz::Deserialize<Checkpoint>(BytesOfText(*value)),
                   Damaged(absl::StrCat("checkpoint \"", meta_key, "\" is invalid")));
  return checkpoint;
}

absl::StatusOr<uint64_t> ChainDatabase::OldestSlot() const {
  ASSIGN_OR_RETURN(const auto value, files_->Get(Column::kMeta, meta_key::kOldest));
  const std::optional<uint64_t> slot = ParseNumberValue(value.value_or(""));
  if (!slot.has_value()) return Damaged("it does not say from where on it holds blocks");
  ASSIGN_OR_RETURN(const uint64_t floor, FloorSlot());
  return std::max(*slot, floor);
}

absl::StatusOr<uint64_t> ChainDatabase::FloorSlot() const {
  ASSIGN_OR_RETURN(const auto value, files_->Get(Column::kMeta, meta_key::kFloor));
  return ParseNumberValue(value.value_or("")).value_or(1);
}

absl::StatusOr<SignedBlockPtr> ChainDatabase::BlockByRoot(const Root& root) const {
  ASSIGN_OR_RETURN(const std::optional<uint64_t> slot, SlotOf(root));
  if (!slot.has_value()) return nullptr;
  return BlockAt({.root = root, .slot = *slot});
}

absl::StatusOr<SignedBlockPtr> ChainDatabase::BlockAt(const Checkpoint& id) const {
  ASSIGN_OR_RETURN(const auto value, files_->Get(Column::kBlocks, BlockKey(id.slot, id.root)));
  if (!value.has_value()) return nullptr;
  ASSIGN_OR_RETURN(auto block, ssz::Deserialize<SignedBlockWithAttestation>(BytesOfText(*value)),
                   Damaged(absl::StrCat(Name("block", id), ": ", _.message())));
  return std::make_shared<const SignedBlockWithAttestation>(std::move(block));
}

absl::StatusOr<std::optional<Root>> ChainDatabase::CanonicalRoot(uint64_t slot) const {
  ASSIGN_OR_RETURN(const auto value, files_->Get(Column::kCanonical, NumberKey(slot)));
  if (!value.has_value()) return std::nullopt;
  const std::optional<Root> root = ParseRootKey(*value);
  if (!root.has_value()) return Damaged(absl::StrCat("slot ", slot, " has no block root"));
  return root;
}

absl::StatusOr<std::vector<Root>> ChainDatabase::CanonicalRoots(uint64_t end_slot) const {
  std::vector<Root> roots(end_slot);
  RETURN_IF_ERROR(files_->Scan(Column::kCanonical, "", [&](absl::string_view key, absl::string_view value) {
    const std::optional<uint64_t> slot = ParseNumberKey(key);
    const std::optional<Root> root = ParseRootKey(value);
    if (!slot.has_value()) return true;  // a link
    if (*slot >= end_slot) return false;
    if (root.has_value()) roots[*slot] = *root;
    return true;
  }));
  return roots;
}

absl::StatusOr<std::optional<uint64_t>> ChainDatabase::SlotOf(const Root& root) const {
  ASSIGN_OR_RETURN(const auto value, files_->Get(Column::kSlots, RootKey(root)));
  if (!value.has_value()) return std::nullopt;
  const std::optional<uint64_t> slot = ParseNumberValue(*value);
  if (!slot.has_value()) return Damaged(absl::StrCat("block ", ShortHex(root.span()), " has no slot"));
  return slot;
}

absl::StatusOr<std::vector<Checkpoint>> ChainDatabase::KnownBlocks() const {
  std::vector<Checkpoint> known;
  RETURN_IF_ERROR(files_->Scan(Column::kSlots, "", [&](absl::string_view key, absl::string_view value) {
    const std::optional<Root> root = ParseRootKey(key);
    const std::optional<uint64_t> slot = ParseNumberValue(value);
    if (root.has_value() && slot.has_value()) known.push_back({.root = *root, .slot = *slot});
    return true;
  }));
  return known;
}

absl::StatusOr<std::vector<Checkpoint>> ChainDatabase::HeldBlocks(uint64_t first_slot) const {
  return KeysFrom(*files_, Column::kBlocks, first_slot);
}

absl::StatusOr<std::vector<SignedVotePtr>> ChainDatabase::Votes() const {
  std::vector<SignedVotePtr> votes;
  RETURN_IF_ERROR(files_->Scan(Column::kVotes, "", [&](absl::string_view, absl::string_view value) {
    absl::StatusOr<SignedAttestation> vote = ssz::Deserialize<SignedAttestation>(BytesOfText(value));
    if (vote.ok()) votes.push_back(std::make_shared<const SignedAttestation>(*std::move(vote)));
    return true;
  }));
  return votes;
}

absl::StatusOr<std::vector<Checkpoint>> ChainDatabase::Snapshots() const {
  return KeysFrom(*files_, Column::kStates, 0);
}

absl::StatusOr<std::optional<Checkpoint>> ChainDatabase::SnapshotUpTo(uint64_t slot) const {
  std::optional<Checkpoint> snapshot;
  RETURN_IF_ERROR(
      files_->ScanBackwards(Column::kStates, NumberKey(slot + 1), [&](absl::string_view key, absl::string_view) {
        snapshot = ParseBlockKey(key);
        return false;
      }));
  return snapshot;
}

absl::StatusOr<StoredState> ChainDatabase::ReadSnapshot(const Checkpoint& id) const {
  ASSIGN_OR_RETURN(const SignedBlockPtr block, BlockAt(id));
  if (block == nullptr) return Damaged(absl::StrCat(Name("the block of the snapshot", id), " is not held"));
  ASSIGN_OR_RETURN(const std::vector<Root> history, CanonicalRoots(id.slot));
  ASSIGN_OR_RETURN(StatePtr state, SnapshotState(id, history));
  return StoredState{.state = std::move(state), .block = block, .root = id.root};
}

absl::StatusOr<StatePtr> ChainDatabase::SnapshotState(const Checkpoint& id, absl::Span<const Root> history,
                                                      const HistoricalBlockHashes& like) const {
  ASSIGN_OR_RETURN(const auto value, files_->Get(Column::kStates, BlockKey(id.slot, id.root)));
  ASSIGN_OR_RETURN(State state,
                   RestoreState(value.value_or(""), genesis_.state->validators, history.first(id.slot), like),
                   Damaged(absl::StrCat(Name("the state of block", id), ": ", _.message())));
  if (BlockRootOf(state) != id.root) {
    return Damaged(absl::StrCat(Name("the state of block", id), " is not the one that the block names"));
  }
  return std::make_shared<const State>(std::move(state));
}

absl::StatusOr<std::optional<Checkpoint>> ChainDatabase::SnapshotOn(const Checkpoint& block,
                                                                    absl::Span<const Root> history,
                                                                    const Checkpoint& end) const {
  std::optional<Checkpoint> snapshot;
  RETURN_IF_ERROR(files_->ScanBackwards(Column::kStates, BlockKey(end.slot, end.root),
                                        [&](absl::string_view key, absl::string_view) {
                                          const std::optional<Checkpoint> id = ParseBlockKey(key);
                                          if (id.has_value() && IsOn(*id, block, history)) snapshot = id;
                                          return !snapshot.has_value();
                                        }));
  return snapshot;
}

absl::StatusOr<StatePtr> ChainDatabase::Rebuild(const Branch& branch) const {
  const HistoricalBlockHashes history = HistoryOf(branch);
  const std::vector<Root> roots = history.ToVector();
  StatePtr state = genesis_.state;
  Checkpoint from{.root = genesis_.block_root, .slot = 0};
  ASSIGN_OR_RETURN(const std::optional<Checkpoint> snapshot, SnapshotOn(branch.block, roots, branch.block));
  if (snapshot.has_value()) from = *snapshot;
  const auto blocks =
      static_cast<uint64_t>(std::count_if(roots.begin() + static_cast<std::ptrdiff_t>(from.slot), roots.end(),
                                          [](const Root& root) { return !root.IsZero(); }));
  if (blocks > kMaxReplayedBlocks) {
    return absl::NotFoundError(
        absl::StrCat("the nearest stored state is ", blocks, " blocks below, more than ", kMaxReplayedBlocks));
  }
  if (snapshot.has_value()) {
    ASSIGN_OR_RETURN(state, SnapshotState(from, roots, history));
  }
  for (uint64_t slot = from.slot + 1; slot <= branch.block.slot; ++slot) {
    const Checkpoint id{.root = slot < branch.block.slot ? roots[slot] : branch.block.root, .slot = slot};
    if (id.root.IsZero()) continue;
    ASSIGN_OR_RETURN(const SignedBlockPtr block, BlockAt(id));
    if (block == nullptr) return absl::NotFoundError(absl::StrCat(Name("block", id), " is not held"));
    const Block& body = block->message.block;
    ASSIGN_OR_RETURN(State next, StateTransition(*state, body, ssz::HashTreeRoot(body.body)),
                     Damaged(absl::StrCat(Name("block", id), ": ", _.message())));
    state = std::make_shared<const State>(std::move(next));
  }
  return state;
}

absl::StatusOr<StatePtr> ChainDatabase::StateOf(const Checkpoint& id) const {
  ASSIGN_OR_RETURN(const std::optional<Root> canonical, CanonicalRoot(id.slot));
  if (canonical != id.root) return nullptr;
  if (id.slot == 0) return genesis_.state;
  ASSIGN_OR_RETURN(const std::vector<Root> roots, CanonicalRoots(id.slot));
  ASSIGN_OR_RETURN(HistoricalBlockHashes history, HistoricalBlockHashes::FromVector(roots), Damaged(_.message()));
  absl::StatusOr<StatePtr> state =
      Rebuild(Branch{.block = id, .trunk = std::move(history), .fork_slot = id.slot, .side = {}});
  if (absl::IsNotFound(state.status())) return nullptr;
  return state;
}

absl::StatusOr<std::vector<TreeBlock>> ChainDatabase::Tree(const Checkpoint& finalized, uint64_t last_slot) const {
  std::vector<TreeBlock> tree = {{.root = finalized.root, .parent_root = Root(), .slot = finalized.slot}};
  absl::flat_hash_set<Root> roots = {finalized.root};
  RETURN_IF_ERROR(files_->Scan(Column::kCanonical, NumberKey(finalized.slot + 1),
                               [&](absl::string_view key, absl::string_view value) {
                                 const std::optional<Checkpoint> id = ParseBlockKey(key);
                                 const std::optional<Root> parent = ParseRootKey(value);
                                 if (!id.has_value() || !parent.has_value()) return true;
                                 if (id->slot > last_slot) return false;
                                 if (roots.contains(*parent)) {
                                   tree.push_back({.root = id->root, .parent_root = *parent, .slot = id->slot});
                                   roots.insert(id->root);
                                 }
                                 return true;
                               }));
  return tree;
}

absl::Status ChainDatabase::DropBranches(WriteSet& writes, uint64_t first_slot, const Checkpoint& finalized,
                                         const HistoricalBlockHashes& history) const {
  const auto drop = [&](Column column, auto is_kept) {
    return files_->Scan(column, NumberKey(first_slot), [&, is_kept](absl::string_view key, absl::string_view) {
      const std::optional<Checkpoint> id = ParseBlockKey(key);
      if (!id.has_value()) return true;
      if (id->slot > finalized.slot) return false;
      if (!is_kept(*id)) writes.Delete(column, std::string(key));
      return true;
    });
  };
  RETURN_IF_ERROR(drop(Column::kCanonical, [](const Checkpoint&) { return false; }));
  return drop(Column::kStates, [&](const Checkpoint& id) {
    return id == finalized || (id.slot < history.size() && history[id.slot] == id.root);
  });
}

void ChainDatabase::PutBlock(WriteSet& writes, const Root& root, const SignedBlockPtr& block) {
  const uint64_t slot = block->message.block.slot;
  // The SSZ of a block ends with its signatures, which are nearly all of it.
  const SignedBlockWithAttestation without_signatures{.message = block->message, .signature = {}};
  const std::vector<SignatureBytes>& signatures = block->signature.elements();
  static_assert(sizeof(SignatureBytes) == SignatureBytes::kSize);
  writes.Put(Column::kBlocks, BlockKey(slot, root), ssz::SerializeToString(without_signatures),
             absl::MakeConstSpan(reinterpret_cast<const uint8_t*>(signatures.data()),
                                 signatures.size() * SignatureBytes::kSize),
             block);
  PutSlot(writes, {.root = root, .slot = slot});
}

void ChainDatabase::PutSlot(WriteSet& writes, const Checkpoint& id) {
  writes.Put(Column::kSlots, RootKey(id.root), NumberValue(id.slot));
}

void ChainDatabase::PutCanonical(WriteSet& writes, const Checkpoint& id) {
  writes.Put(Column::kCanonical, NumberKey(id.slot), RootKey(id.root));
}

void ChainDatabase::PutParent(WriteSet& writes, const Checkpoint& id, const Root& parent_root) {
  writes.Put(Column::kCanonical, BlockKey(id.slot, id.root), RootKey(parent_root));
}

void ChainDatabase::PutCheckpoint(WriteSet& writes, const char* meta_key, const Checkpoint& checkpoint) {
  writes.Put(Column::kMeta, meta_key, ssz::SerializeToString(checkpoint));
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
  writes.Put(Column::kVotes, NumberKey(vote.message.validator_id), ssz::SerializeToString(vote));
}

void ChainDatabase::PutSnapshot(WriteSet& writes, const Checkpoint& id, const State& state) {
  writes.Put(Column::kStates, BlockKey(id.slot, id.root), ReduceState(state));
}

}  // namespace lean::beacon
