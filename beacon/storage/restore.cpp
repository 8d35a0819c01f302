#include "beacon/storage/restore.h"

#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "beacon/storage/database/schema.h"
#include "common/bytes/bytes.h"
#include "common/status/status_macros.h"

namespace lean::beacon {
namespace {

constexpr std::chrono::seconds kTellEvery{2};

absl::Status Damaged(const ChainDatabase& database, const Checkpoint& id, absl::string_view why) {
  return absl::DataLossError(absl::StrCat("the chain in ", database.files().path(), " is damaged: block ",
                                          ShortHex(id.root.span()), " of slot ", id.slot, ": ", why,
                                          "; run `lean-beacon db verify`"));
}

// Restores one snapshot and the blocks at its slot and below. The finalized blocks are a chain from an anchor. Above
// them there is a tree, even if finality is old; its blocks are known, and their bodies are not needed.
absl::StatusOr<LeanChain> FromSnapshot(const ChainDatabase& database, const Checkpoint& id, const Checkpoint& finalized,
                                       const std::vector<Checkpoint>& known) {
  if (id.slot <= finalized.slot) {
    ASSIGN_OR_RETURN(const StoredState stored, database.ReadSnapshot(id));
    return LeanChain::FromAnchor(stored.state, BlockPtr(stored.block, &stored.block->message.block), known);
  }
  ASSIGN_OR_RETURN(const std::vector<TreeBlock> tree, database.Tree(finalized, id.slot));
  absl::flat_hash_map<Root, const TreeBlock*> blocks;
  for (const TreeBlock& block : tree) blocks[block.root] = &block;
  ASSIGN_OR_RETURN(std::vector<Root> history, database.CanonicalRoots(finalized.slot));
  history.resize(id.slot);
  for (Root root = id.root; root != finalized.root;) {
    const auto block = blocks.find(root);
    if (block == blocks.end()) return Damaged(database, id, "not all of its ancestors are known");
    root = block->second->parent_root;
    history[blocks.at(root)->slot] = root;
  }
  ASSIGN_OR_RETURN(const StatePtr state, database.SnapshotState(id, history));
  ASSIGN_OR_RETURN(const std::optional<Checkpoint> justified, database.ReadCheckpoint(meta_key::kJustified));
  // Blocks above this slot restore later justified checkpoints.
  Checkpoint begin = finalized;
  for (const Checkpoint& candidate : {state->latest_justified, justified.value_or(finalized)}) {
    if (candidate.slot > begin.slot && blocks.contains(candidate.root)) begin = candidate;
  }
  return LeanChain::FromTree(tree, begin, state, known);
}

// Starts from the newest valid snapshot, or from genesis.
absl::StatusOr<LeanChain> FromNewestSnapshot(const ChainDatabase& database, spdlog::logger& log) {
  ASSIGN_OR_RETURN(const std::vector<Checkpoint> known, database.KnownBlocks());
  ASSIGN_OR_RETURN(const std::vector<Checkpoint> snapshots, database.Snapshots());
  ASSIGN_OR_RETURN(const std::optional<Checkpoint> finalized, database.ReadCheckpoint(meta_key::kFinalized));
  absl::Status last;
  for (auto id = snapshots.rbegin(); id != snapshots.rend(); ++id) {
    absl::StatusOr<LeanChain> chain = FromSnapshot(database, *id, finalized.value_or(database.anchor()), known);
    if (chain.ok()) return chain;
    last = chain.status();
    log.warn("snapshot_damaged slot={} message=\"{}; an older one is used\"", id->slot, std::string(last.message()));
  }
  if (database.anchor().slot > 0) return last;
  return LeanChain::FromAnchor(database.genesis().state, database.genesis().block, known);
}

// LeanChain::OnBlock, with the states that it needs from the database.
absl::StatusOr<ChainEvents> Import(const ChainDatabase& database, LeanChain& chain, const SignedBlockPtr& block) {
  absl::StatusOr<ChainEvents> events = chain.OnBlock(block, ImportMode::kHistory);
  const std::optional<Root> needed = NeededState(events.status());
  if (!needed.has_value()) return events;
  const std::optional<Branch> branch = chain.BranchOf(*needed);
  if (!branch.has_value()) return events;
  const absl::StatusOr<StatePtr> state = database.Rebuild(*branch);
  if (!state.ok()) return events;
  chain.AddState(*state);
  return chain.OnBlock(block, ImportMode::kHistory);
}

// Imports the blocks above the snapshot in the order of their slots, so that parents come first.
absl::Status Replay(const ChainDatabase& database, RestoredChain& restored, const Clock& clock, spdlog::logger& log) {
  LeanChain& chain = restored.chain;
  ASSIGN_OR_RETURN(const std::vector<Checkpoint> blocks, database.HeldBlocks(restored.snapshot_slot + 1));
  SteadyTime told = clock.Steady();
  for (const Checkpoint& id : blocks) {
    RETURN_IF_ERROR(database.files().CheckStop());
    ASSIGN_OR_RETURN(const std::optional<uint64_t> known, database.SlotOf(id.root));
    if (!known.has_value()) continue;  // a crash came between the block and the rest of its batch
    ASSIGN_OR_RETURN(const SignedBlockPtr block, database.BlockAt(id));
    if (block == nullptr) return Damaged(database, id, "it has gone");
    chain.OnInterval(id.slot * kChainIntervalsPerSlot);
    const absl::StatusOr<ChainEvents> events = Import(database, chain, block);
    chain.Prune(kInMemoryBesideDisk);
    if (events.ok()) {
      ++restored.replayed;
    } else if (KindOf(events.status()) == ChainErrorKind::kInvalid) {
      return Damaged(database, id, events.status().message());
    } else {
      ++restored.left_out;
    }
    if (const SteadyTime now = clock.Steady(); now - told >= kTellEvery) {
      told = now;
      log.info("restoring slot={} of={} blocks={} of={}", id.slot, blocks.back().slot,
               restored.replayed + restored.left_out, blocks.size());
    }
  }
  return absl::OkStatus();
}

absl::Status RestoreVotes(const ChainDatabase& database, RestoredChain& restored) {
  ASSIGN_OR_RETURN(const std::vector<SignedVotePtr> votes, database.Votes());
  for (const SignedVotePtr& vote : votes) {
    const uint64_t slot = vote->message.data.slot;
    const std::optional<uint64_t> known = restored.chain.LatestVoteSlot(vote->message.validator_id);
    if (known.has_value() && *known >= slot) continue;
    restored.chain.OnInterval(slot * kChainIntervalsPerSlot);
    restored.votes += restored.chain.OnVote(vote).ok() ? 1 : 0;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<RestoredChain> RestoreChain(const ChainDatabase& database, const Clock& clock, spdlog::logger& log) {
  ASSIGN_OR_RETURN(LeanChain chain, FromNewestSnapshot(database, log));
  const uint64_t snapshot_slot = chain.current_slot();
  RestoredChain restored{.chain = std::move(chain), .snapshot_slot = snapshot_slot};
  RETURN_IF_ERROR(Replay(database, restored, clock, log));
  RETURN_IF_ERROR(RestoreVotes(database, restored));

  ASSIGN_OR_RETURN(const std::optional<Checkpoint> finalized, database.ReadCheckpoint(meta_key::kFinalized));
  if (finalized.has_value() && !restored.chain.IsCanonical(finalized->root)) {
    return Damaged(database, *finalized, "it was finalized, and is not on the chain that the blocks lead to");
  }
  return restored;
}

}  // namespace lean::beacon
