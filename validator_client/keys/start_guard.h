// The checks between the start of a process and its first signature.
#ifndef LEAN_VALIDATOR_CLIENT_KEYS_START_GUARD_H_
#define LEAN_VALIDATOR_CLIENT_KEYS_START_GUARD_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/clock/slot_clock.h"
#include "common/log/logger.h"
#include "validator_client/beacons/beacon_pool.h"
#include "validator_client/keys/foreign_votes.h"
#include "validator_client/signing/signer.h"

namespace lean::validator {

// The number of whole slots after the slot of the start in which the guard watches for a second client. It is drawn
// uniformly between these two. Two clients that start in the same slot draw the same number with probability 1/16;
// otherwise the one that watches longer sees the other one sign.
inline constexpr int64_t kLeastWatchedSlots = 2;
inline constexpr int64_t kMostWatchedSlots = 17;
int64_t DrawWatchedSlots(std::mt19937_64& random);

// The longest time without this process, or with this process standing still, after which it signs without a new watch.
inline constexpr std::chrono::seconds kLongestGap{30};

struct StartOptions {
  // Admit keys without records although the beacons have seen votes of them.
  bool new_keys = false;
  // Watch for a second client.
  bool watch = true;
  // The records show that this machine signed a moment ago: no watch is needed if all keys have signed together.
  bool resumed = false;
  // Returns the length of a watch; called for each watch.
  std::function<int64_t()> watched_slots = [] { return kLeastWatchedSlots; };
};

// Signing records contain what this database has seen. They cannot show that they are incomplete because they were
// lost, restored from a backup or copied. So a process signs nothing until
// - the keys without records have no votes on the chain; otherwise their records are elsewhere;
// - the beacons have seen no vote of the keys that the records do not explain, for the length of the watch.
// A key is refused when a beacon shows such a vote (ForeignVotes). A claim without a vote only delays the start, as
// long as no beacon contradicts it. A start before genesis needs neither check, since nobody has voted yet. Not
// thread-safe: belongs to the service's thread.
class StartGuard {
 public:
  // Returns the keys that the guard decides about. Later calls may return fewer keys, never more.
  using Keys = std::function<std::vector<ValidatorKey>()>;

  // A key that must not sign here, and the reason.
  struct Refused {
    ValidatorKey key;
    absl::Status why;  // FailedPrecondition
  };

  // `beacons`, `votes` and `signer`, whose records are used, must outlive the guard. `start`: when the process began to
  // watch the network for these keys, by our clock.
  StartGuard(BeaconPool& beacons, ForeignVotes& votes, Signer& signer, Keys keys, const SlotTime& start,
             const StartOptions& options, std::shared_ptr<spdlog::logger> logger);

  // True when the keys may sign. Stays true.
  bool admitted() const { return !history_pending_ && !watch_pending_; }

  // Call it at every interval until admitted() is true. Asks all good beacons when a check is due. One clear answer is
  // enough; without one the next Step asks again. Returns the keys that must not sign, because another process signs
  // with them or they have signed without records; the caller removes them from the keys that `keys` returns. Errors:
  // those of the records.
  absl::StatusOr<std::vector<Refused>> Step(const SlotTime& now, std::chrono::milliseconds timeout);

 private:
  // True when the records of all keys end in the same slot or in two consecutive slots, so that no key was used
  // elsewhere.
  bool SignedTogether();
  absl::Status CheckHistory(std::chrono::milliseconds timeout, std::vector<Refused>& refused);
  absl::Status CheckWatched(const SlotTime& now, std::chrono::milliseconds timeout, std::vector<Refused>& refused);

  BeaconPool& beacons_;
  ForeignVotes& votes_;
  Signer& signer_;
  const Keys keys_;
  // The watched slots, from the slot of the start to the last one.
  int64_t first_slot_;
  int64_t last_slot_;
  std::shared_ptr<spdlog::logger> logger_;
  bool history_pending_ = false;
  bool watch_pending_ = false;
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_KEYS_START_GUARD_H_
