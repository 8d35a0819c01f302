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

// Checks keys that are added while the client runs like keys of the start: a key signs nothing in the slot in which it
// was added, and nothing before the network's registry has it and a StartGuard of its own has admitted it. The other
// keys continue meanwhile, also when a key is refused. Not thread-safe: belongs to the service's thread.
class KeyAdmission {
 public:
  // `beacons`, `votes` and `keys` must outlive this object. Ignores new_keys of `options`, which is a property of each
  // key here, and resumed.
  KeyAdmission(BeaconPool& beacons, ForeignVotes& votes, LiveKeys& keys, const StartOptions& options,
               std::shared_ptr<spdlog::logger> logger);

  // Call it in the quiet part of each slot, after its votes. Starts to check new keys, admits those that may sign from
  // the next slot on, and tells the pool our keys. Asks beacons while `remaining` is above zero.
  void Step(const SlotTime& now, const BeaconPool::Remaining& remaining);

 private:
  struct Candidate {
    ValidatorKey key;
    SlotTime start;  // when Step first saw it
    std::unique_ptr<StartGuard> guard;
    bool registered = false;
  };

  void TakeUp(const SlotTime& now);
  // OK: the key may sign from the next slot on. Unavailable: not yet. Other errors: never.
  absl::Status Check(Candidate& candidate, const SlotTime& now, std::chrono::milliseconds timeout);
  void Settle(const Candidate& candidate, const absl::Status& verdict, const SlotTime& now);
  void TellPool();

  BeaconPool& beacons_;
  ForeignVotes& votes_;
  LiveKeys& keys_;
  const StartOptions options_;
  const std::shared_ptr<spdlog::logger> logger_;
  std::vector<Candidate> candidates_;
  KeySetPtr told_;  // the keys that the pool was told last; null: it has those of its constructor
};

std::vector<RegisteredKey> RegisteredKeysOf(const std::vector<ValidatorKey>& keys);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_KEYS_KEY_ADMISSION_H_
