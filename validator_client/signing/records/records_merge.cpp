#include "validator_client/signing/records/records_merge.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "common/status/status_macros.h"

namespace lean::validator {
namespace {

// The leaves of one key by slot. nullopt: two roots are known, or the root is unknown.
using Leaves = std::map<uint64_t, std::optional<Root>>;

std::map<PublicKeyBytes, Leaves> Gather(const std::vector<KeyHistory>& histories) {
  std::map<PublicKeyBytes, Leaves> gathered;
  for (const KeyHistory& history : histories) {
    if (history.leaves.empty()) continue;
    Leaves& leaves = gathered[history.pubkey];
    for (const SignedLeaf& leaf : history.leaves) {
      const auto [entry, added] = leaves.try_emplace(leaf.slot, leaf.root);
      if (!added && entry->second != leaf.root) entry->second.reset();
    }
  }
  return gathered;
}

// Merges a leaf at or below the highest slot: if another root is kept for it, the leaf is closed.
absl::Status Close(const RecordsDatabase::Key& key, const SignedLeaf& leaf, RecordsDatabase& database,
                   ImportSummary& summary) {
  ASSIGN_OR_RETURN(const std::optional<RecordsDatabase::KeptLeaf> kept, database.FindLeaf(key.id, leaf.slot));
  // No root is kept, so the leaf is refused. Adding a root would grant it.
  if (!kept.has_value() || !kept->root.has_value() || kept->root == leaf.root) return absl::OkStatus();
  ++summary.closed_leaves;
  return database.PutLeaf(key.id, SignedLeaf{leaf.slot, std::nullopt});
}

absl::Status MergeKey(const PublicKeyBytes& pubkey, const Leaves& leaves, RecordsDatabase& database,
                      ImportSummary& summary) {
  ASSIGN_OR_RETURN(const std::optional<RecordsDatabase::Key> found, database.FindKey(pubkey));
  const uint64_t imported_highest = leaves.rbegin()->first;
  const bool is_new = !found.has_value();
  RecordsDatabase::Key key;
  if (is_new) {
    ASSIGN_OR_RETURN(key, database.AddKey(pubkey, imported_highest));
    ++summary.new_keys;
  } else {
    key = *found;
  }
  const uint64_t highest = std::max(key.highest_slot, imported_highest);
  for (const auto& [slot, root] : leaves) {
    const SignedLeaf leaf{slot, root};
    if (!is_new && slot <= key.highest_slot) {
      RETURN_IF_ERROR(Close(key, leaf, database, summary));
      continue;
    }
    ++summary.new_leaves;
    if (!root.has_value()) ++summary.closed_leaves;
    // Older leaves are refused because they are below the highest slot.
    if (slot + kKeptSlots <= highest) continue;
    RETURN_IF_ERROR(database.PutLeaf(key.id, leaf));
  }
  if (highest == key.highest_slot) return absl::OkStatus();
  return database.SetHighestSlot(key.id, highest);
}

}  // namespace

absl::StatusOr<ImportSummary> MergeHistories(const std::vector<KeyHistory>& histories, RecordsDatabase& database) {
  RETURN_IF_ERROR(database.Begin());
  ImportSummary summary;
  for (const auto& [pubkey, leaves] : Gather(histories)) {
    ++summary.keys;
    RETURN_IF_ERROR(MergeKey(pubkey, leaves, database, summary));
  }
  RETURN_IF_ERROR(database.Prune(0, kMaxLeaves));
  // The imported leaves were signed elsewhere, and this machine cannot know when, or whether that client still runs.
  RETURN_IF_ERROR(database.ClearLastWriter());
  RETURN_IF_ERROR(database.Commit());
  return summary;
}

}  // namespace lean::validator
