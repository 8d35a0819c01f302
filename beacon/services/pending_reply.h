// The answer somebody waits for.
#ifndef LEAN_BEACON_SERVICES_PENDING_REPLY_H_
#define LEAN_BEACON_SERVICES_PENDING_REPLY_H_

#include <functional>
#include <utility>

namespace lean::beacon {

// Calls `done` exactly once: with Answer's value or, dropped unanswered on whatever path, with `unanswered`. Not
// thread-safe; handed from thread to thread.
template <typename T>
class PendingReply {
 public:
  PendingReply(std::function<void(T)> done, T unanswered, std::function<void()> release)
      : done_(std::move(done)), unanswered_(std::move(unanswered)), release_(std::move(release)) {}
  ~PendingReply() { Answer(std::move(unanswered_)); }
  PendingReply(const PendingReply&) = delete;
  PendingReply& operator=(const PendingReply&) = delete;

  // The second answer and later ones are ignored. What the item held of a budget is released first, so that whoever is
  // answered may submit again at once.
  void Answer(T value) {
    if (!done_) return;
    release_();
    std::exchange(done_, nullptr)(std::move(value));
  }

 private:
  std::function<void(T)> done_;
  T unanswered_;
  std::function<void()> release_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SERVICES_PENDING_REPLY_H_
