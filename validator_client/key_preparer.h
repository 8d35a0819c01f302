// Keeps the keys ready for the slots to come, off the path of duties, and warns of their end.
#ifndef LEAN_VALIDATOR_CLIENT_KEY_PREPARER_H_
#define LEAN_VALIDATOR_CLIENT_KEY_PREPARER_H_

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "spdlog/logger.h"
#include "validator_client/signer.h"

namespace lean::validator {

// Thread-safe. One thread of its own prepares one key at a time.
class KeyPreparer {
 public:
  KeyPreparer(const std::vector<ValidatorKey>& keys, std::shared_ptr<spdlog::logger> logger);
  ~KeyPreparer();  // stops

  KeyPreparer(const KeyPreparer&) = delete;
  KeyPreparer& operator=(const KeyPreparer&) = delete;

  // Once a slot: queues the keys that are due (the slot lies outside the prepared ones, or in their second half while
  // more slots follow) and warns of those near their last slot, again each time half of the rest is gone.
  void Check(uint64_t slot);

  // Ends the work under way soon; nothing is prepared afterwards.
  void Stop();

 private:
  struct Entry {
    ValidatorKey key;
    bool queued = false;        // or being prepared
    uint64_t warn_at_left = 0;  // slots left at which the next warning is due
    bool end_reported = false;
  };
  struct Job {
    size_t entry = 0;
    uint64_t slot = 0;
  };

  void LogProgress(const ValidatorKey& key, double fraction, int& quarters_logged) const;
  void WarnOfEnd(Entry& entry, uint64_t slot);
  void Work();

  std::shared_ptr<spdlog::logger> logger_;
  // std::mutex, since the thread sanitizer does not see through Debian's Abseil.
  std::mutex mutex_;
  std::condition_variable work_or_stop_;
  // All guarded by mutex_.
  std::vector<Entry> entries_;
  std::deque<Job> jobs_;
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_KEY_PREPARER_H_
