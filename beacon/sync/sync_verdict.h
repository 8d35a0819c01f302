// Decides whether the beacon is behind its peers. Pure; time is an argument.
#ifndef LEAN_BEACON_SYNC_SYNC_VERDICT_H_
#define LEAN_BEACON_SYNC_SYNC_VERDICT_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "common/clock/clock.h"

namespace lean::beacon {

struct SyncVerdictOptions {
  uint64_t behind_slots = 8;     // syncing when more than this behind a peer
  uint64_t caught_up_slots = 2;  // synced again when at most this behind
  // How long after the start we wait for the configured peers before we are synced without them.
  std::chrono::milliseconds start_wait{8'000};
  // With a head far behind the clock we are synced only after a peer was connected for this long. Either all beacons
  // were off, or our clock is wrong; by then the votes of others have shown which.
  std::chrono::milliseconds hearing_wait{0};
  // After syncing for this long without a new block, the claims of the peers count as false, and we are synced until
  // blocks arrive.
  std::chrono::milliseconds proof_wait{32'000};
  size_t configured_peers = 0;
};

// The inputs of one decision.
struct SyncView {
  SteadyTime now;
  uint64_t head_slot = 0;
  int64_t clock_slot = 0;              // negative before genesis
  std::optional<uint64_t> peers_head;  // highest slot that a believed peer claims and we lack
  size_t linked_peers = 0;
  uint64_t progress = 0;  // any number that grows with each new block
};

// A beacon is synced when no believed peer is ahead of it, so that the chain continues after all beacons were off.
// Peers that claim to be ahead of the clock are not believed, so that nobody can make us sync while our head follows
// the clock.
class SyncVerdict {
 public:
  enum class State { kStarting, kSynced, kSyncing };

  SyncVerdict(const SyncVerdictOptions& options, SteadyTime start)
      : options_(options), start_(start), progress_since_(start) {}

  State Update(const SyncView& view);
  State state() const { return state_; }

 private:
  // The head is so close to the clock that no peer can be far ahead of it.
  bool IsFresh(const SyncView& view) const;
  bool MayLeaveStart(const SyncView& view) const;
  bool MayServe(const SyncView& view) const;

  const SyncVerdictOptions options_;
  const SteadyTime start_;
  State state_ = State::kStarting;
  uint64_t progress_ = 0;
  SteadyTime progress_since_;               // when `progress` last grew, or syncing began
  std::optional<SteadyTime> linked_since_;  // since when at least one peer is connected
  bool claims_unproven_ = false;            // syncing ended without a new block
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SYNC_SYNC_VERDICT_H_
