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

// A key of which somebody else's vote is proved (ForeignVotes) signs nothing more; the others go on. What a beacon only
// claims changes nothing. Not thread-safe: belongs to the service's thread.
class KeyWatch {
 public:
  // Both must outlive this object.
  KeyWatch(ForeignVotes& votes, LiveKeys& keys, std::shared_ptr<spdlog::logger> logger);

  // Once a slot, when its votes have come and before the duties of the next one: asks for votes of this slot and the
  // one before it, and stops the keys that others sign with. Only votes of slots after a key's first Step count: its
  // start looks at those before. A slot about which no beacon answers, or the records cannot be read, goes unwatched;
  // that is logged.
  void Step(const SlotTime& now, std::chrono::milliseconds timeout);

  // The key signs nothing from now on, and the next start of the client watches before it signs.
  void Stop(const ValidatorKey& key, const absl::Status& why);

  // OK while there are keys that sign or wait to, or none was stopped. Otherwise why the last one was.
  absl::Status KeysLeft() const;

 private:
  // Those that sign, with the first slot that counts; forgets those that do not sign any more.
  std::vector<ValidatorKey> TakeKeys(uint64_t next_slot);

  ForeignVotes& votes_;
  LiveKeys& keys_;
  const std::shared_ptr<spdlog::logger> logger_;
  absl::flat_hash_map<PublicKeyBytes, uint64_t> first_slots_;
  absl::Status last_stop_;
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_KEYS_KEY_WATCH_H_
