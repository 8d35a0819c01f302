#include "beacon/storage/prune.h"

#include <algorithm>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "beacon/storage/database/schema.h"
#include "common/status/status_macros.h"

namespace lean::beacon {
namespace {

// Keys deleted in one batch.
constexpr size_t kDroppedAtOnce = 1024;

// Slots that a running beacon deletes at once.
constexpr uint64_t kMinStep = 32;
constexpr uint64_t kMaxStep = 1024;

absl::Status DeleteAll(Database& files, Column column, const std::vector<Checkpoint>& ids) {
  for (size_t first = 0; first < ids.size(); first += kDroppedAtOnce) {
    WriteSet writes;
    for (size_t i = first; i < std::min(ids.size(), first + kDroppedAtOnce); ++i) {
      writes.Delete(column, BlockKey(ids[i].slot, ids[i].root));
    }
    RETURN_IF_ERROR(files.Write(writes));
  }
  return absl::OkStatus();
}

// Old snapshots that are less than snapshot_slots after the kept snapshot before them. The newest one is kept for
// restarts.
std::vector<Checkpoint> SnapshotsToDrop(const std::vector<Checkpoint>& all, uint64_t snapshot_slots) {
  std::vector<Checkpoint> drop;
  if (all.empty()) return drop;
  uint64_t kept = all.front().slot;
  for (size_t i = 1; i + 1 < all.size(); ++i) {
    if (all[i].slot - kept < snapshot_slots) {
      drop.push_back(all[i]);
    } else {
      kept = all[i].slot;
    }
  }
  return drop;
}

}  // namespace

absl::StatusOr<PruneResult> PruneDatabase(ChainDatabase& database, const PruneRequest& request) {
  ASSIGN_OR_RETURN(const auto finalized, database.ReadCheckpoint(meta_key::kFinalized));
  if (!finalized.has_value()) return absl::DataLossError("the data folder has no finalized checkpoint");
  const uint64_t finalized_slot = finalized->slot;
  ASSIGN_OR_RETURN(auto snapshots, database.Snapshots());
  // Snapshots above finality are needed for blocks that may still arrive.
  std::erase_if(snapshots, [&](const Checkpoint& id) { return id.slot > finalized_slot; });
  // A restart needs the newest snapshot with its block, and every block since.
  const uint64_t needed = snapshots.empty() ? 1 : snapshots.back().slot;
  const uint64_t wanted = finalized_slot - std::min(finalized_slot, request.keep_slots.value_or(finalized_slot));
  const uint64_t first_kept = std::min(std::max<uint64_t>(wanted, 1), needed);

  absl::flat_hash_set<Root> canonical;
  RETURN_IF_ERROR(database.files().Scan(Column::kCanonical, "", [&](absl::string_view key, absl::string_view value) {
    const std::optional<Root> root = ParseRootKey(value);
    if (ParseNumberKey(key).has_value() && root.has_value()) canonical.insert(*root);
    return true;
  }));
  std::vector<Checkpoint> orphans;
  std::vector<Checkpoint> old_blocks;
  ASSIGN_OR_RETURN(const auto held, database.HeldBlocks(0));
  for (const Checkpoint& id : held) {
    if (id.slot > finalized_slot) break;
    if (!canonical.contains(id.root)) {
      orphans.push_back(id);
    } else if (id.slot < first_kept) {
      old_blocks.push_back(id);
    }
  }
  std::vector<Checkpoint> dropped = SnapshotsToDrop(snapshots, request.snapshot_slots);
  for (const Checkpoint& id : snapshots) {
    // Reading a snapshot needs its block.
    if (id.slot < first_kept && std::find(dropped.begin(), dropped.end(), id) == dropped.end()) dropped.push_back(id);
  }

  ASSIGN_OR_RETURN(const auto oldest, database.OldestSlot());
  if (!old_blocks.empty()) {
    // Written first, so that the database never claims blocks that it has deleted, and backfill does not fetch them.
    WriteSet writes;
    ChainDatabase::PutOldestSlot(writes, std::max(oldest, first_kept));
    ChainDatabase::PutFloorSlot(writes, first_kept);
    RETURN_IF_ERROR(database.files().Write(writes));
  }
  Database& files = database.files();
  for (const auto& [column, ids] : {std::pair{Column::kStates, &dropped}, std::pair{Column::kBlocks, &orphans},
                                    std::pair{Column::kBlocks, &old_blocks}}) {
    RETURN_IF_ERROR(DeleteAll(files, column, *ids));
  }
  RETURN_IF_ERROR(files.Compact());
  return PruneResult{.orphans = orphans.size(), .old_blocks = old_blocks.size(), .snapshots = dropped.size()};
}

absl::StatusOr<std::optional<uint64_t>> DropOldBlocks(ChainDatabase& database, uint64_t finalized_slot,
                                                      uint64_t keep_slots) {
  ASSIGN_OR_RETURN(const uint64_t floor, database.FloorSlot());
  const uint64_t wanted = finalized_slot - std::min(finalized_slot, keep_slots);
  if (wanted < floor + std::clamp(keep_slots / 8, kMinStep, kMaxStep)) return std::nullopt;
  ASSIGN_OR_RETURN(const uint64_t oldest, database.OldestSlot());
  uint64_t first_kept = wanted;  // backfill need not fetch any of them
  if (wanted > oldest) {
    ASSIGN_OR_RETURN(const std::optional<Checkpoint> snapshot, database.SnapshotUpTo(wanted));
    if (!snapshot.has_value()) return std::nullopt;
    first_kept = std::min(snapshot->slot, oldest + kMaxStep);
  }
  if (first_kept <= floor) return std::nullopt;
  WriteSet writes;
  ChainDatabase::DropBelow(writes, first_kept);
  RETURN_IF_ERROR(database.files().Write(writes));
  RETURN_IF_ERROR(database.files().CompactBelow(Column::kBlocks, NumberKey(first_kept)));
  return first_kept;
}

}  // namespace lean::beacon
