// Runs the duties of this process's validators until it is stopped.
#ifndef LEAN_VALIDATOR_CLIENT_DUTIES_VALIDATOR_SERVICE_H_
#define LEAN_VALIDATOR_CLIENT_DUTIES_VALIDATOR_SERVICE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
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

// Works on its caller's thread: duties in intervals 0 and 1, added and removed keys in interval 2, the health of
// the beacons for the next slot and the watch for second clients in interval 3. While no beacon is ready, it tries to
// reach one in between.
class ValidatorService {
 public:
  // All arguments but the logger must outlive the service. `seed` seeds the jitter between attempts to reach a beacon.
  ValidatorService(Clock& clock, BeaconPool& beacons, ForeignVotes& votes, LiveKeys& keys, const StartOptions& start,
                   uint64_t seed, ValidatorMetrics& metrics, std::shared_ptr<spdlog::logger> logger);

  // Blocks until the clock is interrupted (OK), the registry of the network turns out to lack a key of ours
  // (InvalidArgument), or none of the keys may sign here (FailedPrecondition, with the reason of the last key from
  // StartGuard or KeyWatch). To stop within a duty, cancel the beacons' clients as well.
  absl::Status Run();

  // One step of Run, for callers that wait by themselves: does what is due, and returns when the next step is due.
  // Errors as above.
  absl::StatusOr<SteadyTime> Step();

 private:
  // What works once the network is known.
  struct Work {
    Work(ValidatorService& service, const NetworkIdentity& network);

    SlotTimer timer;
    std::optional<StartGuard> guard;  // has a value
    Duties duties;
    KeyAdmission admission;
    KeyWatch watch;
  };

  // Begins with the duties of the network, which is known.
  absl::Status Begin();
  // The latest time of the next step; nullopt: the next interval.
  std::optional<SteadyTime> NextAttempt() const;
  // Makes the guard of the keys that sign now.
  void MakeGuard(Work& work, const StartOptions& options);
  // Those of these keys that have not been removed.
  std::vector<ValidatorKey> Remaining(const std::vector<PublicKeyBytes>& pubkeys) const;
  // True if this process stood still for longer than kLongestGap before this tick, or was not in time from the genesis
  // on because its clock was behind. Others may have signed with its keys meanwhile.
  bool HasMissedTooMuch(const SlotTimer::Wake& wake) const;
  // One step of the start guard; stops the keys that it refuses. Not OK: no keys are left.
  absl::Status GuardStart();
  void OnTick(const SlotTimer::Wake& wake);
  void PrepareKeys(uint64_t slot);
  // Update the metrics.
  void ShowBeacons();
  void ShowKeys(uint64_t slot);
  // Probes the beacons for duties in `slot`, and schedules the next attempt if that fails.
  void Probe(int64_t slot, std::chrono::milliseconds timeout, SlotTimer& timer);
  void PlanNextAttempt(Backoff::Delay delay);
  // True when the timer's time has changed.
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
  std::unique_ptr<Work> work_;  // null until the network is known
  SteadyTime next_attempt_{};   // while no beacon is ready
  bool wall_jump_reported_ = false;
  std::set<uint64_t> shown_keys_;  // validators that have a value in the metrics
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_DUTIES_VALIDATOR_SERVICE_H_
