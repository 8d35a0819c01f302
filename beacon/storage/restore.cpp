#include "beacon/storage/restore.h"

#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "beacon/storage/schema.h"
#include "common/bytes/hex.h"

namespace lean::beacon {
namespace {

constexpr std::chrono::seconds kTellEvery{2};

absl::Status Damaged(const ChainDatabase& database, const Checkpoint& id, absl::string_view why) {
  return absl::DataLossError(absl::StrCat("the chain in ", database.files().path(), " is damaged: block ",
                                          ShortHex(id.root.span()), " of slot ", id.slot, ": ", why,
                                          "; `lean-beacon db verify` tells what is left of it"));
}

// The newest snapshot that is right, or genesis.
absl::StatusOr<LeanChain> FromNewestAnchor(const ChainDatabase& database, spdlog::logger& log) {
  const absl::StatusOr<std::vector<Checkpoint>> known = database.KnownBlocks();
  if (!known.ok()) return known.status();
  const absl::StatusOr<std::vector<Checkpoint>> snapshots = database.Snapshots();
  if (!snapshots.ok()) return snapshots.status();
  absl::Status last;
  for (auto id = snapshots->rbegin(); id != snapshots->rend(); ++id) {
    const absl::StatusOr<StoredState> stored = database.ReadSnapshot(*id);
    if (stored.ok()) {
      return LeanChain::FromAnchor(stored->state, BlockPtr(stored->block, &stored->block->message.block), *known);
    }
    if (absl::IsCancelled(stored.status())) return stored.status();
    last = stored.status();
    log.warn("snapshot_damaged slot={} message=\"{}; an older one is taken\"", id->slot, std::string(last.message()));
  }
  if (database.anchor().slot > 0) return last;
  return LeanChain::FromAnchor(database.genesis().state, database.genesis().block, *known);
}

// The blocks above the anchor, parents first since slots ascend.
absl::Status Replay(const ChainDatabase& database, RestoredChain& restored, spdlog::logger& log) {
  LeanChain& chain = restored.chain;
  const absl::StatusOr<std::vector<Checkpoint>> blocks = database.HeldBlocks(chain.anchor().slot + 1);
  if (!blocks.ok()) return blocks.status();
  auto told = std::chrono::steady_clock::now();
  for (const Checkpoint& id : *blocks) {
    if (absl::Status status = database.files().CheckStop(); !status.ok()) return status;
    const absl::StatusOr<SignedBlockPtr> block = database.BlockAt(id);
    if (!block.ok()) return block.status();
    if (*block == nullptr) return Damaged(database, id, "it has gone");
    chain.OnInterval(id.slot * kChainIntervalsPerSlot, /*has_proposal=*/false);
    const absl::StatusOr<ChainEvents> events = chain.OnBlock(*block, ImportMode::kHistory);
    if (events.ok()) {
      ++restored.replayed;
      if (events->finalized.has_value()) chain.Prune(PruneLimits());
    } else if (KindOf(events.status()) == ChainErrorKind::kInvalid) {
      return Damaged(database, id, events.status().message());
    } else {
      ++restored.left_out;
    }
    if (const auto now = std::chrono::steady_clock::now(); now - told >= kTellEvery) {
      told = now;
      log.info("restoring slot={} of={} blocks={} of={}", id.slot, blocks->back().slot,
               restored.replayed + restored.left_out, blocks->size());
    }
  }
  return absl::OkStatus();
}

absl::Status RestoreVotes(const ChainDatabase& database, RestoredChain& restored) {
  const absl::StatusOr<std::vector<SignedVotePtr>> votes = database.Votes();
  if (!votes.ok()) return votes.status();
  for (const SignedVotePtr& vote : *votes) {
    const uint64_t slot = vote->message.data.slot;
    const std::optional<uint64_t> known = restored.chain.LatestVoteSlot(vote->message.validator_id);
    if (known.has_value() && *known >= slot) continue;
    restored.chain.OnInterval(slot * kChainIntervalsPerSlot, /*has_proposal=*/false);
    restored.votes += restored.chain.OnVote(vote).ok() ? 1 : 0;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<RestoredChain> RestoreChain(const ChainDatabase& database, spdlog::logger& log) {
  absl::StatusOr<LeanChain> chain = FromNewestAnchor(database, log);
  if (!chain.ok()) return chain.status();
  RestoredChain restored{.chain = *std::move(chain)};
  if (absl::Status status = Replay(database, restored, log); !status.ok()) return status;
  if (absl::Status status = RestoreVotes(database, restored); !status.ok()) return status;

  const absl::StatusOr<std::optional<Checkpoint>> finalized = database.ReadCheckpoint(meta_key::kFinalized);
  if (!finalized.ok()) return finalized.status();
  if (finalized->has_value() && !restored.chain.IsCanonical((*finalized)->root)) {
    return Damaged(database, **finalized, "it was finalized, and is not on the chain that the blocks lead to");
  }
  return restored;
}

}  // namespace lean::beacon
