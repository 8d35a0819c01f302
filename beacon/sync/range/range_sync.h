// Fetches what peers have and we lack, from the highest block that we have; where the peers' chain turns out to leave
// ours below it, from our finalized slot on. From peers by range, or by root where they do not serve that.
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
#include "beacon/sync/range/range_plan.h"
#include "beacon/sync/roots/walk_sync.h"
#include "beacon/sync/sync_context.h"
#include "common/containers/checkpoint.h"

namespace lean::beacon {

struct RangeSyncOptions {
  RangePlanOptions plan;
  WalkSyncOptions walk;
  uint64_t urgent_slots = 2;                  // a peer that is more than this ahead is fetched from at once,
  std::chrono::milliseconds patience{4'000};  // another when what it has does not come by itself within this
  std::chrono::milliseconds pause{1'000};     // between two plans, and before what could not be taken is tried again
  size_t import_bytes = size_t{16} * 1024 * 1024;   // imported at once
  std::chrono::milliseconds progress_every{5'000};  // a line in the log
};

// What a believed peer has and we lack.
struct AheadPeer {
  uint64_t peer = 0;
  Checkpoint head;
  bool serves_range = true;
  uint64_t earliest_slot = 0;  // it has no blocks below
};

class RangeSync {
 public:
  RangeSync(const SyncContext& context, const RangeSyncOptions& options)
      : context_(context), options_(options), walk_(context, options.walk) {}

  // `ahead`: best first.
  void Update(const std::vector<AheadPeer>& ahead, const Checkpoint& head, const Checkpoint& finalized, SteadyTime now);

  struct Progress {
    uint64_t slots_done = 0;
    uint64_t slots_left = 0;
    double blocks_per_second = 0;
  };
  // nullopt: nothing is being fetched.
  std::optional<Progress> progress() const;
  // Grows with every block that was fetched and is right, as far as that can be told.
  uint64_t fetched() const { return imported_ + walk_.imported() + walk_.walked(); }

  // Of what is to be fetched, nobody who is believed keeps the beginning.
  struct Gap {
    uint64_t first_slot = 0;  // that we need
    uint64_t kept_from = 0;   // the lowest that a peer keeps

    friend bool operator==(const Gap&, const Gap&) = default;
  };
  const std::optional<Gap>& gap() const { return gap_; }

 private:
  void ChooseTarget(const std::vector<AheadPeer>& ahead, const Checkpoint& head, const Checkpoint& finalized,
                    SteadyTime now);
  // Above which block a range up to this target begins.
  Checkpoint BaseOf(const AheadPeer& target, const Checkpoint& head, const Checkpoint& finalized) const;
  // Of what is above the base and served by range.
  std::optional<Gap> GapAbove(const Checkpoint& base) const;
  static void AddGap(const Gap& more, std::optional<Gap>* gap);
  void SetGap(const std::optional<Gap>& gap);
  // By range, unless the target does not serve that.
  void Begin(const AheadPeer& target, const Checkpoint& base, bool alone, SteadyTime now);
  void End(absl::string_view why);
  void Ask(SteadyTime now);
  void OnAnswer(uint64_t plan, const RangePlan::Ask& ask, SteadyTime sent,
                absl::StatusOr<std::vector<SignedBlockPtr>> answer);
  void Import(SteadyTime now);
  void SubmitNext();
  void OnOutcomes(uint64_t plan, const std::vector<SubmitOutcome>& outcomes);
  // The peer's blocks build on nothing that we have.
  void HandleDisconnected(uint64_t peer);
  // The range is through: was there what its target claimed?
  void Judge();
  void LogProgress(SteadyTime now);
  bool HasBlock(const Root& root) const;

  const SyncContext context_;
  const RangeSyncOptions options_;

  std::map<uint64_t, SteadyTime> ahead_since_;  // of peers that are ahead without a break
  std::optional<uint64_t> ask_alone_;           // whose range is to be fetched from it alone, next
  std::optional<AheadPeer> walk_next_;          // whose chain is to be fetched by roots, next
  std::set<uint64_t> suspects_;                 // who may have kept back what that one is about to give
  SteadyTime not_before_;                       // of the next plan
  Checkpoint finalized_;                        // as of the last Update
  Checkpoint last_fetched_;                     // the last block that a range brought into the chain
  std::set<Root> left_below_;  // blocks above the finalized one that the peers' chain does not build on
  std::optional<Gap> gap_;

  // While a range is being fetched:
  std::optional<RangePlan> plan_;
  uint64_t plan_id_ = 0;
  AheadPeer target_;
  bool target_came_ = false;  // its head's block is imported, or waits for something
  Checkpoint base_;           // the range begins above it
  SteadyTime began_;
  SteadyTime logged_;
  uint64_t imported_before_ = 0;
  std::optional<RangePlan::Ready> importing_;
  size_t import_offset_ = 0;      // blocks of it that have been imported
  size_t import_count_ = 0;       // of the import under way; 0: none is
  SteadyTime import_not_before_;  // when it could not be taken

  uint64_t imported_ = 0;
  WalkSync walk_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SYNC_RANGE_RANGE_SYNC_H_
