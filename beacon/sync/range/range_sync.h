// Fetches what peers have and we lack, starting at our highest block, or at our finalized slot when the peers' chain
// leaves ours below that block. Fetches by range, or by root from peers that do not serve ranges.
#ifndef LEAN_BEACON_SYNC_RANGE_RANGE_SYNC_H_
#define LEAN_BEACON_SYNC_RANGE_RANGE_SYNC_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "beacon/sync/block_import.h"
#include "beacon/sync/range/range_plan.h"
#include "beacon/sync/roots/walk_sync.h"
#include "beacon/sync/sync_context.h"
#include "common/containers/attestation.h"

namespace lean::beacon {

struct RangeSyncOptions {
  RangePlanOptions plan;
  WalkSyncOptions walk;
  uint64_t urgent_slots = 2;                  // blocks of a peer that is further ahead are fetched at once,
  std::chrono::milliseconds patience{4'000};  // those of other peers when they do not arrive by gossip in time
  std::chrono::milliseconds pause{1'000};     // between two plans
  BlockImportOptions import;
  std::chrono::milliseconds progress_every{5'000};  // between log lines
};

// A believed peer that is ahead of us.
struct AheadPeer {
  uint64_t peer = 0;
  Checkpoint head;
  bool serves_range = true;
  uint64_t earliest_slot = 0;  // it has no older blocks
};

class RangeSync {
 public:
  RangeSync(const SyncContext& context, const RangeSyncOptions& options);

  // `ahead`: best first.
  void Update(const std::vector<AheadPeer>& ahead, const Checkpoint& head, const Checkpoint& finalized, SteadyTime now);

  struct Progress {
    uint64_t slots_done = 0;
    uint64_t slots_left = 0;
    double blocks_per_second = 0;
    size_t blocks_held = 0;  // fetched and not yet imported, and their bytes
    size_t bytes_held = 0;
  };
  // nullopt: nothing is fetched at the moment.
  std::optional<Progress> progress() const;
  // Grows with every fetched block that seems right.
  uint64_t fetched() const { return import_.imported() + walk_.imported() + walk_.walked(); }

  // A block of the last range or of the last walk waits for a block of another branch (WaitsForOtherBranch).
  bool needs_roots() const { return needs_roots_ || walk_.needs_roots(); }

  // No believed peer has the first blocks that we need.
  struct Gap {
    uint64_t first_slot = 0;  // the first that we need
    uint64_t kept_from = 0;   // the lowest that a peer has

    friend bool operator==(const Gap&, const Gap&) = default;
  };
  const std::optional<Gap>& gap() const { return gap_; }

 private:
  void ChooseTarget(const std::vector<AheadPeer>& ahead, const Checkpoint& head, const Checkpoint& finalized,
                    SteadyTime now);
  // The block after which a range up to this target begins.
  Checkpoint BaseOf(const AheadPeer& target, const Checkpoint& head, const Checkpoint& finalized) const;
  // Peers that serve blocks above the base by range.
  std::optional<Gap> GapAbove(const Checkpoint& base) const;
  static void AddGap(const Gap& more, std::optional<Gap>* gap);
  void SetGap(const std::optional<Gap>& gap);
  // Starts a range, or a walk when the target does not serve ranges.
  void Begin(const AheadPeer& target, const Checkpoint& base, bool alone, SteadyTime now);
  void End(absl::string_view why);
  void Ask(SteadyTime now);
  void OnAnswer(uint64_t plan, const RangePlan::Ask& ask, SteadyTime sent,
                absl::StatusOr<std::vector<SignedBlockPtr>> answer);
  void Import(SteadyTime now);
  void OnBlock(const SubmitOutcome& outcome, uint64_t slot);
  void OnImported(BlockImport::Result result, uint64_t peer, const std::string& why);
  // The peer's blocks do not build on any block that we have.
  void HandleDisconnected(uint64_t peer);
  // The range is complete: checks whether the target had what it claimed.
  void Judge();
  void LogProgress(SteadyTime now);
  bool HasBlock(const Root& root) const;

  const SyncContext context_;
  const RangeSyncOptions options_;

  std::map<uint64_t, SteadyTime> ahead_since_;  // peers that have been ahead since this time
  std::optional<uint64_t> ask_alone_;           // the next range is fetched from this peer only
  std::optional<AheadPeer> walk_next_;          // the next chain to fetch by roots
  std::set<uint64_t> suspects_;                 // peers that may have withheld those blocks
  SteadyTime not_before_;                       // earliest start of the next plan
  Checkpoint finalized_;                        // as of the last Update
  Checkpoint last_fetched_;                     // the last block that a range has imported
  std::set<Root> left_below_;                   // our blocks above the finalized one that are not on the peers' chain
  std::optional<Gap> gap_;

  // While a range is being fetched:
  std::optional<RangePlan> plan_;
  uint64_t plan_id_ = 0;
  AheadPeer target_;
  bool target_came_ = false;  // the target's head is imported or waits in the dependency queue
  Checkpoint base_;           // the range begins after it
  Root last_queued_;          // of its blocks in the dependency queue, the last one; zero: none
  SteadyTime began_;
  SteadyTime logged_;
  uint64_t imported_before_ = 0;
  bool needs_roots_ = false;

  BlockImport import_;
  WalkSync walk_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SYNC_RANGE_RANGE_SYNC_H_
