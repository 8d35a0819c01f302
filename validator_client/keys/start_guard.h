// What stands between the start of a process and its first signature.
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

// Whole slots, after the one of the start, in which a second client of our keys would be seen: drawn at random between
// these two, each as likely as the others. Two copies that start in one slot draw the same once in 16 times; otherwise
// the one that watches for longer sees the other sign.
inline constexpr int64_t kLeastWatchedSlots = 2;
inline constexpr int64_t kMostWatchedSlots = 17;
int64_t DrawWatchedSlots(std::mt19937_64& random);

struct StartOptions {
  // Keys without records may begin although the beacon has seen votes of theirs.
  bool new_keys = false;
  // Watch for a second client first.
  bool watch = true;
  // The records show that this machine signed a moment ago: then keys that have all signed together need no watch.
  bool resumed = false;
  // The length of a watch, asked for each of them.
  std::function<int64_t()> watched_slots = [] { return kLeastWatchedSlots; };
};

// Signing records tell what this database has seen. A start cannot know what another one has: records that were lost,
// restored from a backup or copied look like any others. So a process signs nothing before
// - keys of which it has no records were found to have no votes on the chain: otherwise their records are elsewhere;
// - the beacons have watched and seen no vote of its keys that its records do not explain.
// A key is refused when the vote itself is shown (ForeignVotes). What beacons only claim holds the start up, as long as
// no beacon says otherwise, and ends nothing.
// Started before genesis, it needs neither: nobody has voted yet. Not thread-safe: belongs to the service's thread.
class StartGuard {
 public:
  // The keys that it decides on, whenever it looks: none may come to them, but some may go.
  using Keys = std::function<std::vector<ValidatorKey>()>;

  // A key that must not sign here, and why.
  struct Refused {
    ValidatorKey key;
    absl::Status why;  // FailedPrecondition
  };

  // `beacons`, `votes` and `signer`, whose records it asks, must outlive the guard. `start`: by our clock, when the
  // process began to look at the network for these keys.
  StartGuard(BeaconPool& beacons, ForeignVotes& votes, Signer& signer, Keys keys, const SlotTime& start,
             const StartOptions& options, std::shared_ptr<spdlog::logger> logger);

  // Whether keys may sign. Never goes back.
  bool admitted() const { return !history_pending_ && !watch_pending_; }

  // At every interval until admitted; asks every beacon that is good when it is due. One clear answer is enough;
  // without any they are asked again. Returns the keys that must not sign, since they sign elsewhere or have signed
  // without records; the caller takes them away from those that the guard is asked about. Errors: those of the records.
  absl::StatusOr<std::vector<Refused>> Step(const SlotTime& now, std::chrono::milliseconds timeout);

 private:
  // Whether the records end in one slot for all keys, or in two neighbouring ones: none of them has been elsewhere.
  bool SignedTogether();
  absl::Status CheckHistory(std::chrono::milliseconds timeout, std::vector<Refused>& refused);
  absl::Status CheckWatched(const SlotTime& now, std::chrono::milliseconds timeout, std::vector<Refused>& refused);

  BeaconPool& beacons_;
  ForeignVotes& votes_;
  Signer& signer_;
  const Keys keys_;
  // Watched are the slots from the first of these, which is that of the start, to the second.
  int64_t first_slot_;
  int64_t last_slot_;
  std::shared_ptr<spdlog::logger> logger_;
  bool history_pending_ = false;
  bool watch_pending_ = false;
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_KEYS_START_GUARD_H_
