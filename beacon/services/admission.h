// What is in flight in ChainService: the budget that origins share, and the answer that each caller waits for.
#ifndef LEAN_BEACON_SERVICES_ADMISSION_H_
#define LEAN_BEACON_SERVICES_ADMISSION_H_

#include <cstddef>
#include <functional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "beacon/services/submit.h"
#include "common/concurrency/mutex.h"

namespace lean::beacon {

struct InFlight {
  size_t items = 0;
  size_t bytes = 0;
};

struct AdmissionLimits {
  InFlight total;
  InFlight peers;     // all peers together; the rest is reserved for our own validators
  InFlight one_peer;  // each peer
};

// Counts what is in flight. Never blocks: what does not fit is rejected. Thread-safe.
class Admission {
 public:
  explicit Admission(const AdmissionLimits& limits) : limits_(limits) {}

  bool TryAcquire(const Origin& origin, const InFlight& what);

  // Releases what was acquired.
  void Release(const Origin& origin, const InFlight& what);

  // Of all origins.
  InFlight used() const;

 private:
  const AdmissionLimits limits_;
  mutable Mutex mutex_;
  InFlight total_ ABSL_GUARDED_BY(mutex_);
  InFlight peers_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<Origin, InFlight> by_peer_ ABSL_GUARDED_BY(mutex_);  // peers with something in flight
};

// Calls `done` exactly once: with the value that Answer is given, or with `unanswered` when it is destroyed without an
// answer. Thread compatible; may be handed from thread to thread.
template <typename T>
class AnswerOnce {
 public:
  AnswerOnce(std::function<void(T)> done, T unanswered, std::function<void()> release)
      : done_(std::move(done)), unanswered_(std::move(unanswered)), release_(std::move(release)) {}
  ~AnswerOnce() { Answer(std::move(unanswered_)); }
  AnswerOnce(const AnswerOnce&) = delete;
  AnswerOnce& operator=(const AnswerOnce&) = delete;

  // Calls `release` before `done`, so that the caller may submit again at once. Later answers are ignored.
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

#endif  // LEAN_BEACON_SERVICES_ADMISSION_H_
