// Drives the duties of this process's validators: from the first answer of a beacon until it is told to stop.
#ifndef LEAN_VALIDATOR_CLIENT_DUTIES_VALIDATOR_SERVICE_H_
#define LEAN_VALIDATOR_CLIENT_DUTIES_VALIDATOR_SERVICE_H_

#include <cstdint>
#include <memory>
#include <set>
#include <vector>

#include "absl/status/status.h"
#include "common/clock/backoff.h"
#include "common/clock/clock.h"
#include "common/log/logger.h"
#include "validator_client/beacons/beacon_pool.h"
#include "validator_client/duties/duties.h"
#include "validator_client/duties/slot_timer.h"
#include "validator_client/duties/validator_metrics.h"
#include "validator_client/keys/foreign_votes.h"
#include "validator_client/keys/key_admission.h"
#include "validator_client/keys/key_watch.h"
#include "validator_client/keys/live_keys.h"
#include "validator_client/keys/start_guard.h"

namespace lean::validator {

// One thread, that of Run: duties at intervals 0 and 1, keys that come and go at interval 2, the beacons' health for
// the next slot and the watch for second clients at interval 3, attempts to reach a lost beacon in between while there
// is none to ask.
class ValidatorService {
 public:
  // All but the logger must outlive the service. `seed` is that of the jitter between attempts to reach the beacon.
  ValidatorService(Clock& clock, BeaconPool& beacons, ForeignVotes& votes, LiveKeys& keys, const StartOptions& start,
                   uint64_t seed, ValidatorMetrics& metrics, std::shared_ptr<spdlog::logger> logger);

  // Blocks until the clock is interrupted (OK), or until it turns out that a key of ours is not in the registry of the
  // network (InvalidArgument), or that none of its keys may sign here (FailedPrecondition: the reason of the last one,
  // by StartGuard or KeyWatch). To stop within a duty, cancel the beacons' clients as well.
  absl::Status Run();

 private:
  // Until a beacon has told which network this is. False: the clock was interrupted.
  absl::StatusOr<bool> AwaitNetwork();
  // Those of the start that are still there.
  std::vector<ValidatorKey> Remaining(const KeySet& of_start) const;
  // A step of the start; stops the keys that it refuses. Not OK: there is nothing left to do.
  absl::Status GuardStart(StartGuard& guard, KeyWatch& watch, const SlotTimer& timer);
  void OnTick(const SlotTimer::Wake& wake, bool admitted, SlotTimer& timer, Duties& duties, KeyAdmission& admission,
              KeyWatch& watch);
  void PrepareKeys(uint64_t slot);
  // In metrics.
  void ShowBeacons();
  void ShowKeys(uint64_t slot);
  // Probes for duties in `slot`; plans the next attempt if that fails.
  void Probe(int64_t slot, std::chrono::milliseconds timeout, SlotTimer& timer);
  void PlanNextAttempt(Backoff::Delay delay);
  // True: the timer's time has changed.
  bool FollowWallIfBeaconAgrees(SlotTimer& timer);
  void WarnOfWallJump(const SlotTimer& timer);

  Clock& clock_;
  BeaconPool& beacons_;
  ForeignVotes& votes_;
  LiveKeys& keys_;
  const StartOptions start_;
  Backoff backoff_;
  ValidatorMetrics& metrics_;
  std::shared_ptr<spdlog::logger> logger_;
  SteadyTime next_attempt_{};  // while no beacon is ready
  bool wall_jump_reported_ = false;
  std::set<uint64_t> shown_keys_;  // validators that have a value in metrics
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_DUTIES_VALIDATOR_SERVICE_H_
