// Lets the keys in that were added while the client runs.
#ifndef LEAN_VALIDATOR_CLIENT_KEYS_KEY_ADMISSION_H_
#define LEAN_VALIDATOR_CLIENT_KEYS_KEY_ADMISSION_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "common/clock/slot_clock.h"
#include "common/log/logger.h"
#include "validator_client/beacons/beacon_pool.h"
#include "validator_client/keys/live_keys.h"
#include "validator_client/keys/start_guard.h"

namespace lean::validator {

// A key that comes later is taken no less seriously than one of the start: it signs nothing in the slot of its coming,
// and nothing before the network's registry was found to have it and a StartGuard of its own has let it in. The others
// go on meanwhile; a key that is not let in ends nobody but itself. Not thread-safe: belongs to the service's thread.
class KeyAdmission {
 public:
  // `beacons`, `votes` and `keys` must outlive this object. Of `options`, new_keys is each key's own, and resumed is
  // not used.
  KeyAdmission(BeaconPool& beacons, ForeignVotes& votes, LiveKeys& keys, const StartOptions& options,
               std::shared_ptr<spdlog::logger> logger);

  // In the quiet part of each slot, after its votes: takes up keys that have come, lets in those that may sign from the
  // next slot on, and tells the pool which keys are ours. Asks beacons while `remaining` is above zero.
  void Step(const SlotTime& now, const BeaconPool::Remaining& remaining);

 private:
  struct Candidate {
    ValidatorKey key;
    SlotTime start;  // when it was first seen here
    std::unique_ptr<StartGuard> guard;
    bool registered = false;
  };

  void TakeUp(const SlotTime& now);
  // Whether the key may sign from the next slot on. Unavailable: not yet. Other errors: never.
  absl::Status Check(Candidate& candidate, const SlotTime& now, std::chrono::milliseconds timeout);
  void Settle(const Candidate& candidate, const absl::Status& verdict, const SlotTime& now);
  void TellPool();

  BeaconPool& beacons_;
  ForeignVotes& votes_;
  LiveKeys& keys_;
  const StartOptions options_;
  const std::shared_ptr<spdlog::logger> logger_;
  std::vector<Candidate> candidates_;
  KeySetPtr told_;  // what the pool was told last; null: of the keys of the start, by whoever made it
};

std::vector<RegisteredKey> RegisteredKeysOf(const std::vector<ValidatorKey>& keys);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_KEYS_KEY_ADMISSION_H_
