#include "beacon/sync/sync_inbox.h"

namespace lean::beacon {

void SyncInbox::Want(const WantedRoot& wanted) {
  std::stop_source wake;
  {
    MutexLock lock(mutex_);
    if (closed_ || content_.wanted.size() >= kMaxWanted) return;
    content_.wanted.push_back(wanted);
    wake = wake_;
  }
  wake.request_stop();
}

void SyncInbox::Push(Event event) {
  std::stop_source wake;
  {
    MutexLock lock(mutex_);
    if (closed_) return;
    content_.events.push_back(std::move(event));
    wake = wake_;
  }
  wake.request_stop();
}

SyncInbox::Content SyncInbox::Take(Clock& clock, SteadyTime until) {
  std::stop_token woken;
  {
    MutexLock lock(mutex_);
    if (!closed_ && content_.wanted.empty() && content_.events.empty()) {
      wake_ = std::stop_source();
      woken = wake_.get_token();
    }
  }
  if (woken.stop_possible()) clock.WaitUntil(until, woken);
  MutexLock lock(mutex_);
  return std::exchange(content_, {});
}

void SyncInbox::Close() {
  std::stop_source wake;
  {
    MutexLock lock(mutex_);
    closed_ = true;
    content_ = {};
    wake = wake_;
  }
  wake.request_stop();
}

bool SyncInbox::closed() const {
  MutexLock lock(mutex_);
  return closed_;
}

}  // namespace lean::beacon
