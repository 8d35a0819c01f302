// Keeps the keys ready for the slots to come, off the path of duties, and warns of their end.
#ifndef LEAN_VALIDATOR_CLIENT_KEYS_KEY_PREPARER_H_
#define LEAN_VALIDATOR_CLIENT_KEYS_KEY_PREPARER_H_

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "common/clock/clock.h"
#include "common/clock/slot_clock.h"
#include "common/log/line_limit.h"
#include "common/log/logger.h"
#include "validator_client/signing/signer.h"

namespace lean::validator {

// Before a key's end: time to make another one and to have it registered.
inline constexpr std::chrono::milliseconds kWarnBefore = std::chrono::hours(7 * 24);

// Thread-safe. One thread of its own prepares one key at a time. However many keys there are, the log gets one line a
// minute for each thing that happens to keys, and the count of those left out (LineLimit).
class KeyPreparer {
 public:
  KeyPreparer(const std::vector<ValidatorKey>& keys, std::shared_ptr<spdlog::logger> logger);
  ~KeyPreparer();  // stops

  KeyPreparer(const KeyPreparer&) = delete;
  KeyPreparer& operator=(const KeyPreparer&) = delete;

  // One more key, looked at from the next Check on.
  void Add(const ValidatorKey& key);

  // Ends work for the key under way soon, for good. Does nothing for a key that it does not have.
  void Remove(const PublicKeyBytes& pubkey);

  // Once a slot: queues the keys that are due (the slot lies outside the prepared ones, or in their second half while
  // more slots follow) and warns of those that end within kWarnBefore, again each day, on the last day each hour.
  void Check(uint64_t slot, std::chrono::milliseconds slot_duration);

  // Ends the work under way soon; nothing is prepared afterwards.
  void Stop();

 private:
  struct Entry {
    ValidatorKey key;
    bool queued = false;                                   // or being prepared
    bool removed = false;                                  // nothing more is to be done for it
    std::chrono::milliseconds warn_at_left = kWarnBefore;  // time left at which the next warning is due
    bool end_reported = false;
  };
  using EntryPtr = std::shared_ptr<Entry>;  // its fields but key are guarded by mutex_
  struct Job {
    EntryPtr entry;
    uint64_t slot = 0;
  };

  void LogProgress(const ValidatorKey& key, double fraction, int& quarters_logged);
  // Whether a line of this cause is to be written now.
  bool Admit(absl::string_view cause) { return lines_.Admit(cause, std::chrono::steady_clock::now()); }
  // Warns of all keys at once: a line names the first of them and their number.
  void WarnOfEnds(uint64_t slot, std::chrono::milliseconds slot_duration);
  void Work();

  std::shared_ptr<spdlog::logger> logger_;
  LineLimit lines_;
  // std::mutex, since the thread sanitizer does not see through Debian's Abseil.
  std::mutex mutex_;
  std::condition_variable work_or_stop_;
  // All guarded by mutex_.
  std::vector<EntryPtr> entries_;
  std::deque<Job> jobs_;
  bool stopped_ = false;
  size_t prepared_in_a_row_ = 0;  // since the queue was empty
  std::thread thread_;
};

// Checks the keys in each slot, after its votes, for the slots from the next one on, until `clock` is interrupted.
// Reads the wall clock anew each time: it may be set.
void KeepPrepared(Clock& clock, const SlotClock& slots, KeyPreparer& preparer);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_KEYS_KEY_PREPARER_H_
