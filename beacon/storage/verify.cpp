#include "beacon/storage/verify.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "beacon/chain/state_transition.h"
#include "beacon/storage/database/losses.h"
#include "beacon/storage/database/schema.h"
#include "beacon/storage/restore.h"
#include "common/bytes/bytes.h"
#include "common/clock/clock.h"
#include "common/ssz/ssz.h"
#include "common/status/status_macros.h"

namespace lean::beacon {
namespace {

constexpr uint64_t kTellEverySlots = 1000;

class Verifier {
 public:
  Verifier(const ChainDatabase& database, const std::function<void(uint64_t)>& progress)
      : database_(database), progress_(progress) {}

  VerifyReport Run(spdlog::logger& log) {
    for (const std::string& loss : database_.files().losses()) Problem(loss);
    const auto lost = LostSinceTip(database_);
    Check(lost.status());
    if (lost.ok() && lost->has_value()) Problem(**lost);
    Check(database_.files().VerifyTables());
    CheckBlocks();
    CheckBranches();
    CheckCanonical();
    report_.restart = RestoreChain(database_, RealClock(), log).status();
    return std::move(report_);
  }

 private:
  void Problem(const Checkpoint& id, absl::string_view what) {
    Problem(absl::StrCat("block ", ShortHex(id.root.span()), " of slot ", id.slot, ": ", what));
  }
  void Problem(absl::string_view what) {
    if (report_.problems.size() < VerifyReport::kMaxProblems) {
      report_.problems.emplace_back(what);
    } else {
      ++report_.more_problems;
    }
  }
  void Check(const absl::Status& status) {
    if (!status.ok()) Problem(status.message());
  }

  // Checks that values match their keys and that every parent was imported.
  void CheckBlocks() {
    ASSIGN_OR_RETURN(const auto known, database_.KnownBlocks(), Check(_));
    for (const Checkpoint& id : known) slots_[id.root] = id.slot;
    const auto oldest = database_.OldestSlot();
    Check(oldest.status());
    Check(database_.files().Scan(Column::kBlocks, "", [&](absl::string_view key, absl::string_view value) {
      const std::optional<Checkpoint> id = ParseBlockKey(key);
      if (!id.has_value()) {
        Problem("the key of a block is malformed");
        return true;
      }
      CheckBlock(*id, value, oldest.value_or(0));
      return true;
    }));
  }

  // Checks the links of the blocks above the finalized one.
  void CheckBranches() {
    Check(database_.files().Scan(Column::kCanonical, "", [&](absl::string_view key, absl::string_view value) {
      const std::optional<Checkpoint> id = ParseBlockKey(key);
      const std::optional<Root> parent = ParseRootKey(value);
      if (id.has_value() && (!parent.has_value() || !slots_.contains(*parent))) {
        Problem(*id, "the parent that it is linked to is not known");
      }
      return true;
    }));
  }

  void CheckBlock(const Checkpoint& id, absl::string_view value, uint64_t oldest) {
    Tell(id.slot);
    ++report_.blocks;
    ASSIGN_OR_RETURN(const auto block, ssz::Deserialize<SignedBlockWithAttestation>(BytesOfText(value)),
                     Problem(id, _.message()));
    const Block& content = block.message.block;
    if (ssz::HashTreeRoot(content) != id.root || content.slot != id.slot) {
      return Problem(id, "it is another block");
    }
    const auto slot = slots_.find(id.root);
    if (slot == slots_.end()) return;  // nothing refers to it: a crash came between the block and the rest of its batch
    if (slot->second != id.slot) Problem(id, "its root is known with another slot");
    // The parent of the oldest block is below the anchor, or where backfill has stopped.
    if (id.slot > oldest && !slots_.contains(content.parent_root)) Problem(id, "its parent is not known");
  }

  // Checks that the finalized chain has all its blocks, that each builds on the one before, and that the states are
  // right.
  void CheckCanonical() {
    const auto oldest = database_.OldestSlot();
    const auto finalized = database_.ReadCheckpoint(meta_key::kFinalized);
    if (!oldest.ok() || !finalized.ok() || !finalized->has_value()) {
      return Problem("it has no finalized checkpoint, or does not say from where on it holds blocks");
    }
    std::optional<Root> parent;
    for (uint64_t slot = *oldest; slot <= (*finalized)->slot; ++slot) {
      if (!database_.files().CheckStop().ok()) return;
      ASSIGN_OR_RETURN(const auto root, database_.CanonicalRoot(slot), Check(_));
      if (!root.has_value()) continue;
      Tell(slot);
      CheckCanonicalBlock({.root = *root, .slot = slot}, parent);
      parent = *root;
    }
    if (parent.value_or(database_.genesis().block_root) != (*finalized)->root) {
      Problem(**finalized, "it is finalized, and not on the finalized chain");
    }
  }

  void CheckCanonicalBlock(const Checkpoint& id, const std::optional<Root>& parent) {
    const auto block = database_.BlockAt(id);
    if (!block.ok() || *block == nullptr) {
      state_ = nullptr;
      return Problem(id, "it is finalized, and cannot be read");
    }
    const Block& content = (*block)->message.block;
    if (parent.has_value() && content.parent_root != *parent)
      Problem(id, "its parent is not the finalized block before");
    Replay(id, content);
    if (!HasSnapshot(id)) return;
    ASSIGN_OR_RETURN(const auto snapshot, database_.ReadSnapshot(id), Check(_));
    ++report_.snapshots;
    if (state_ == nullptr) state_ = snapshot.state;
  }

  // Applies the block to the state. Below the first snapshot there is no state.
  void Replay(const Checkpoint& id, const Block& block) {
    if (state_ == nullptr && block.parent_root == database_.genesis().block_root) state_ = database_.genesis().state;
    if (state_ == nullptr) return;
    auto next = StateTransition(*state_, block, ssz::HashTreeRoot(block.body));
    if (!next.ok()) {
      state_ = nullptr;
      return Problem(id, next.status().message());
    }
    ++report_.replayed;
    state_ = std::make_shared<const State>(*std::move(next));
  }

  bool HasSnapshot(const Checkpoint& id) {
    if (!snapshots_.has_value()) {
      const auto all = database_.Snapshots();
      Check(all.status());
      snapshots_ = all.ok() ? *all : std::vector<Checkpoint>();
    }
    return std::find(snapshots_->begin(), snapshots_->end(), id) != snapshots_->end();
  }

  void Tell(uint64_t slot) {
    if (slot / kTellEverySlots != told_) progress_(slot);
    told_ = slot / kTellEverySlots;
  }

  const ChainDatabase& database_;
  const std::function<void(uint64_t)>& progress_;
  VerifyReport report_;
  absl::flat_hash_map<Root, uint64_t> slots_;
  std::optional<std::vector<Checkpoint>> snapshots_;
  StatePtr state_;  // after the block before
  uint64_t told_ = 0;
};

}  // namespace

VerifyReport VerifyDatabase(const ChainDatabase& database, spdlog::logger& log,
                            const std::function<void(uint64_t)>& progress) {
  return Verifier(database, progress).Run(log);
}

}  // namespace lean::beacon
