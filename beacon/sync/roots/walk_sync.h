// Fetches and imports the chain of one peer by roots (RootWalk): for peers that do not serve ranges, or that do not
// deliver by range what they claim.
#ifndef LEAN_BEACON_SYNC_ROOTS_WALK_SYNC_H_
#define LEAN_BEACON_SYNC_ROOTS_WALK_SYNC_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "beacon/sync/block_import.h"
#include "beacon/sync/roots/root_walk.h"
#include "beacon/sync/sync_context.h"
#include "common/containers/attestation.h"

namespace lean::beacon {

struct WalkSyncOptions {
  RootWalkOptions walk;
  BlockImportOptions import;
  // A peer is left after `max_strikes` answers that failed, or took longer than this while another peer could be asked.
  std::chrono::milliseconds patience{2'000};
  int max_strikes = 3;
  std::chrono::milliseconds progress_every{5'000};  // between log lines
};

class WalkSync {
 public:
  WalkSync(const SyncContext& context, const WalkSyncOptions& options);

  // `finalized` is our finalized block. Call it only while no walk is active.
  void Begin(uint64_t peer, const Checkpoint& head, const Checkpoint& finalized, SteadyTime now);
  void Update(SteadyTime now);
  bool active() const { return walk_.has_value(); }

  // Whether the last walk has imported blocks.
  bool brought_something() const { return imported() > imported_before_; }
  // Blocks imported, and blocks received with a right proposer's signature, over all walks.
  uint64_t imported() const { return import_.imported(); }
  uint64_t walked() const { return walked_; }

  // A block of the last walk waits for a block of another branch (WaitsForOtherBranch).
  bool needs_roots() const { return needs_roots_; }

  // Slots of the active walk.
  uint64_t slots_done() const;
  uint64_t slots_left() const;

 private:
  void Ask(SteadyTime now);
  void OnAnswer(const absl::StatusOr<std::vector<SignedBlockPtr>>& answer);
  // Whether another peer could be asked.
  bool HasOther() const;
  // The peer does not have the next block.
  void OnMissing();
  void Import(SteadyTime now);
  void OnImported(BlockImport::Result result, const std::string& why);
  void End(absl::string_view why);
  // For a peer that is honest as far as we know: its branch lost while it was parted from us.
  void EndOnOtherBranch(absl::string_view why);
  void EndAndBlame(Offence offence, const std::string& why);
  bool IsBelieved() const;
  void LogProgress(SteadyTime now);

  const SyncContext context_;
  const WalkSyncOptions options_;

  std::optional<RootWalk> walk_;
  uint64_t walk_id_ = 0;
  uint64_t peer_ = 0;
  Checkpoint head_;
  Checkpoint base_;  // our finalized block, then the last imported one
  Checkpoint finalized_;
  bool needs_roots_ = false;
  int strikes_ = 0;
  SteadyTime began_;
  SteadyTime logged_;
  BlockImport import_;
  uint64_t imported_before_ = 0;
  uint64_t walked_ = 0;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SYNC_ROOTS_WALK_SYNC_H_
