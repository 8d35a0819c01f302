// Whether we are behind: the decision, apart from how it is mended. Pure; time comes in as an argument.
#ifndef LEAN_BEACON_SYNC_SYNC_VERDICT_H_
#define LEAN_BEACON_SYNC_SYNC_VERDICT_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "common/clock/clock.h"

namespace lean::beacon {

struct SyncVerdictOptions {
  uint64_t behind_slots = 8;     // more than this behind a peer: syncing
  uint64_t caught_up_slots = 2;  // at most this: synced again
  // After the start, how long the configured peers may take to be linked before we are synced without them.
  std::chrono::milliseconds start_wait{8'000};
  // With a head that is far behind the clock, synced only after a peer was linked for so long: all may have been off,
  // or our clock is wrong, and by then the votes of others tell which.
  std::chrono::milliseconds hearing_wait{0};
  // Syncing for so long without one block more: whoever claims to be ahead does not show it. Synced, until blocks come.
  std::chrono::milliseconds proof_wait{32'000};
  size_t configured_peers = 0;
};

// What is known at a moment.
struct SyncView {
  SteadyTime now;
  uint64_t head_slot = 0;
  int64_t clock_slot = 0;              // negative before genesis
  std::optional<uint64_t> peers_head;  // highest slot that a believed peer claims and that we lack
  size_t linked_peers = 0;
  uint64_t progress = 0;  // any number that grows when blocks come in
};

// A beacon that no believed peer is ahead of is synced: after a pause of all beacons the chain must go on. Since nobody
// is believed to be ahead of the clock, nobody can make us syncing while our own head keeps up with it.
class SyncVerdict {
 public:
  enum class State { kStarting, kSynced, kSyncing };

  SyncVerdict(const SyncVerdictOptions& options, SteadyTime start)
      : options_(options), start_(start), progress_since_(start) {}

  State Update(const SyncView& view);
  State state() const { return state_; }

 private:
  // The head is so near to the clock that no peer can be far ahead of it.
  bool IsFresh(const SyncView& view) const;
  bool MayLeaveStart(const SyncView& view) const;
  bool MayServe(const SyncView& view) const;

  const SyncVerdictOptions options_;
  const SteadyTime start_;
  State state_ = State::kStarting;
  uint64_t progress_ = 0;
  SteadyTime progress_since_;               // when it grew last, or syncing began
  std::optional<SteadyTime> linked_since_;  // of the first peer
  bool claims_unproven_ = false;            // syncing ended without one block more
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SYNC_SYNC_VERDICT_H_
