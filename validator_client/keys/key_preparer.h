// Keeps the keys ready for the slots to come, off the path of duties, and warns of their end.
#ifndef LEAN_VALIDATOR_CLIENT_KEYS_KEY_PREPARER_H_
#define LEAN_VALIDATOR_CLIENT_KEYS_KEY_PREPARER_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "common/clock/clock.h"
#include "common/clock/slot_clock.h"
#include "common/concurrency/mutex.h"
#include "common/log/line_limit.h"
#include "common/log/logger.h"
#include "common/metrics/footprint.h"
#include "validator_client/signing/signer.h"

namespace lean::validator {

// The first warning before the end of a key: leaves time to make and register another key.
inline constexpr std::chrono::milliseconds kWarnBefore = std::chrono::hours(7 * 24);

// Prepares keys on a thread of its own, which starts with the first key that needs it, one key at a time. Logs at most
// one line a minute for each kind of event, with the number of lines left out (LineLimit), independent of the number of
// keys. Thread-safe.
class KeyPreparer {
 public:
  KeyPreparer(const std::vector<ValidatorKey>& keys, const Clock& clock, std::shared_ptr<spdlog::logger> logger);
  ~KeyPreparer();  // stops

  KeyPreparer(const KeyPreparer&) = delete;
  KeyPreparer& operator=(const KeyPreparer&) = delete;

  // Adds a key, which the next Check looks at.
  void Add(const ValidatorKey& key);

  // Removes a key and ends work on it soon. Does nothing for an unknown key.
  void Remove(const PublicKeyBytes& pubkey);

  // Call it once in a slot. Queues the keys that need preparation: the slot is not prepared, or is in the second half
  // of the prepared slots while more slots follow. Warns of keys that end within kWarnBefore, again each day, and each
  // hour on the last day.
  void Check(uint64_t slot, std::chrono::milliseconds slot_duration);

  // Of the keys that wait for preparation.
  metrics::Footprint queue() const;
  // Of all keys, with the nodes of their trees for the prepared slots.
  metrics::Footprint keys() const;

  // Ends the work soon; nothing is prepared afterwards.
  void Stop();

 private:
  struct Entry {
    ValidatorKey key;
    bool queued = false;                                   // or being prepared
    bool removed = false;                                  // needs no more work
    std::chrono::milliseconds warn_at_left = kWarnBefore;  // time left at which the next warning is due
    bool end_reported = false;
  };
  using EntryPtr = std::shared_ptr<Entry>;  // mutex_ protects its fields but key
  struct Job {
    EntryPtr entry;
    uint64_t slot = 0;
  };

  void LogProgress(const ValidatorKey& key, double fraction, int& quarters_logged);
  // True when a line for this cause may be logged now.
  bool Admit(absl::string_view cause) { return lines_.Admit(cause, clock_.Steady()); }
  // Logs one warning for all keys, with the first of them and their number.
  void WarnOfEnds(uint64_t slot, std::chrono::milliseconds slot_duration) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Work();

  const Clock& clock_;
  std::shared_ptr<spdlog::logger> logger_;
  LineLimit lines_;
  mutable Mutex mutex_;
  CondVar work_or_stop_;
  std::vector<EntryPtr> entries_ ABSL_GUARDED_BY(mutex_);
  std::deque<Job> jobs_ ABSL_GUARDED_BY(mutex_);
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  size_t prepared_in_a_row_ ABSL_GUARDED_BY(mutex_) = 0;  // since the queue was empty
  std::thread thread_;                                    // started by Check under the mutex
};

// Calls Check in each slot, after its votes, for the next slot, until `clock` is interrupted. Reads the wall clock each
// time, since it may be set.
void KeepPrepared(Clock& clock, const SlotClock& slots, KeyPreparer& preparer);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_KEYS_KEY_PREPARER_H_
