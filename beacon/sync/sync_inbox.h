// What reaches the sync's thread from others: blocks that are missing, answers of peers, outcomes of imports.
#ifndef LEAN_BEACON_SYNC_SYNC_INBOX_H_
#define LEAN_BEACON_SYNC_SYNC_INBOX_H_

#include <cstddef>
#include <functional>
#include <stop_token>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "beacon/services/submit.h"
#include "common/clock/clock.h"
#include "common/concurrency/mutex.h"

namespace lean::beacon {

// Thread-safe; one thread takes. Lives as long as anybody who may still put something in.
class SyncInbox {
 public:
  using Event = std::function<void()>;

  // Beyond this many not yet taken, further ones are dropped: what is missing is named again by whatever comes next.
  static constexpr size_t kMaxWanted = 4096;

  struct Content {
    std::vector<WantedRoot> wanted;
    std::vector<Event> events;
  };

  // Never blocks.
  void Want(const WantedRoot& wanted);
  // Runs on the thread that takes. Bounded by what that thread asks for.
  void Push(Event event);

  // Waits until something is there, Close was called, or the time has come; and takes what is there.
  Content Take(Clock& clock, SteadyTime until);

  // Ends every wait, now and later.
  void Close();
  bool closed() const;

 private:
  mutable Mutex mutex_;
  Content content_ ABSL_GUARDED_BY(mutex_);
  std::stop_source wake_ ABSL_GUARDED_BY(mutex_);  // ends the wait under way
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SYNC_SYNC_INBOX_H_
