// Watches for a second client of our keys as long as this one runs.
#ifndef LEAN_VALIDATOR_CLIENT_KEYS_KEY_WATCH_H_
#define LEAN_VALIDATOR_CLIENT_KEYS_KEY_WATCH_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "common/bytes/bytes.h"
#include "common/clock/slot_clock.h"
#include "common/log/logger.h"
#include "validator_client/keys/foreign_votes.h"
#include "validator_client/keys/live_keys.h"

namespace lean::validator {

// Stops a key as soon as a beacon shows a vote of it that another process has signed (ForeignVotes); the other keys
// continue. A claim without a vote has no effect. Not thread-safe: belongs to the service's thread.
class KeyWatch {
 public:
  // Both must outlive this object.
  KeyWatch(ForeignVotes& votes, LiveKeys& keys, std::shared_ptr<spdlog::logger> logger);

  // Call it once in a slot, after its votes and before the duties of the next slot. Asks for votes of this slot and the
  // previous one, and stops the keys that another process signs with. Ignores slots before a key's first Step, which
  // the start guard has checked. Logs when a slot cannot be watched because no beacon answers or the records cannot be
  // read.
  void Step(const SlotTime& now, std::chrono::milliseconds timeout);

  // Stops the key now, and makes the next start of the client watch before it signs.
  void Stop(const ValidatorKey& key, const absl::Status& why);

  // OK while there are active or waiting keys, or no key was stopped. Otherwise the reason of the last stop.
  absl::Status KeysLeft() const;

 private:
  // The active keys. Sets the first watched slot of new ones, and removes that of keys that are gone.
  std::vector<ValidatorKey> TakeKeys(uint64_t next_slot);

  ForeignVotes& votes_;
  LiveKeys& keys_;
  const std::shared_ptr<spdlog::logger> logger_;
  absl::flat_hash_map<PublicKeyBytes, uint64_t> first_slots_;
  absl::Status last_stop_;
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_KEYS_KEY_WATCH_H_
