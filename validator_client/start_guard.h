// What stands between the start of a process and its first signature.
#ifndef LEAN_VALIDATOR_CLIENT_START_GUARD_H_
#define LEAN_VALIDATOR_CLIENT_START_GUARD_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "common/clock/slot_clock.h"
#include "common/log/logger.h"
#include "validator_client/beacon_pool.h"
#include "validator_client/signer.h"

namespace lean::validator {

// Whole slots, after the one of the start, in which a second client of our keys would be seen.
inline constexpr int64_t kWatchedSlots = 2;

struct StartOptions {
  // Keys without records may begin although the beacon has seen votes of theirs.
  bool new_keys = false;
  // Watch for a second client first.
  bool watch = true;
  // The records show that this machine signed a moment ago: then keys that have all signed together need no watch.
  bool resumed = false;
};

// Signing records tell what this database has seen. A start cannot know what another one has: records that were lost,
// restored from a backup or copied look like any others. So a process signs nothing before
// - keys of which it has no records were found to have no votes on the chain: otherwise their records are elsewhere;
// - the beacons have watched for kWatchedSlots and seen no vote of its keys that its records do not explain.
// Started before genesis, it needs neither: nobody has voted yet. Not thread-safe: belongs to the service's thread.
class StartGuard {
 public:
  // The keys that it decides on, whenever it looks: none may come to them, but some may go.
  using Keys = std::function<std::vector<ValidatorKey>()>;

  // `beacons` and `signer`, whose records it asks, must outlive the guard. `start`: by our clock, when the process
  // began to look at the network for these keys.
  StartGuard(BeaconPool& beacons, Signer& signer, Keys keys, const SlotTime& start, const StartOptions& options,
             std::shared_ptr<spdlog::logger> logger);

  // Whether keys may sign. Never goes back.
  bool admitted() const { return !history_pending_ && !watch_pending_; }

  // At every interval until admitted; asks every beacon that is good when it is due. One answer is enough; without any
  // they are asked again next time. FailedPrecondition: they must not, since one of them signs elsewhere or has
  // signed without records.
  absl::Status Step(const SlotTime& now, std::chrono::milliseconds timeout);

 private:
  // Whether the records end in one slot for all keys, or in two neighbouring ones: none of them has been elsewhere.
  bool SignedTogether();
  absl::Status CheckHistory(std::chrono::milliseconds timeout);
  absl::Status CheckWatched(std::chrono::milliseconds timeout);
  // What any of them has seen.
  absl::StatusOr<std::vector<Liveness>> Ask(const std::vector<ValidatorKey>& keys, uint64_t from_slot,
                                            std::chrono::milliseconds timeout);

  BeaconPool& beacons_;
  Signer& signer_;
  const Keys keys_;
  const SlotTime start_;
  std::shared_ptr<spdlog::logger> logger_;
  bool history_pending_ = false;
  bool watch_pending_ = false;
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_START_GUARD_H_
