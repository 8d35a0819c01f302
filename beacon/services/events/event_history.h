// The newest events of a beacon, for any number of readers that each read at their own pace.
#ifndef LEAN_BEACON_SERVICES_EVENTS_EVENT_HISTORY_H_
#define LEAN_BEACON_SERVICES_EVENTS_EVENT_HISTORY_H_

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "beacon/services/events/beacon_event.h"
#include "common/concurrency/mutex.h"
#include "common/metrics/footprint.h"

namespace lean::beacon {

// The place of an event. Events of one run of a beacon are numbered from 1.
struct EventCursor {
  uint64_t run = 0;
  uint64_t number = 0;

  // "RUN-NUMBER", both decimal.
  std::string ToString() const;
  // InvalidArgument: the text is no cursor.
  static absl::StatusOr<EventCursor> Parse(absl::string_view text);

  friend bool operator==(const EventCursor&, const EventCursor&) = default;
};

// Events of one kind that follow each other: part of accepted votes, or one event of another kind.
struct EventSlice {
  std::shared_ptr<const BeaconEvent> event;
  size_t begin = 0;    // of the votes; 0 for other kinds
  size_t end = 1;      // of the votes; 1 for other kinds
  uint64_t first = 0;  // number of the event at `begin`

  size_t size() const { return end - begin; }
};

// Writers never wait for readers: an event costs one lock, whatever its number of votes, and the oldest events are
// dropped when a budget is exceeded. Whoever watches is called on a thread of the history. Thread-safe.
class EventHistory {
 public:
  // About 15 slots with 4,096 votes each.
  static constexpr size_t kMaxBytes = size_t{8} << 20;
  // The shortest time between two calls of a watcher, which then reads everything that has happened in it.
  static constexpr std::chrono::milliseconds kPause{20};

  // `run` tells this run of the beacon from all others; the time of its start does.
  explicit EventHistory(uint64_t run, size_t max_bytes = kMaxBytes);
  ~EventHistory() = default;
  EventHistory(const EventHistory&) = delete;
  EventHistory& operator=(const EventHistory&) = delete;

  void Add(BeaconEvent event);

  // Calls `wake` soon after events were added, until the watch is ended. It must not block and must not call Watch or
  // Unwatch. After Unwatch returns, it is not called any more.
  using WatchId = uint64_t;
  WatchId Watch(std::function<void()> wake);
  void Unwatch(WatchId id);

  uint64_t run() const { return run_; }
  // Of the batches of events that are kept.
  metrics::Footprint footprint() const;
  // The number of events since the start.
  uint64_t added() const;

 private:
  friend class EventReader;
  using Counts = std::array<uint64_t, kEventKinds>;

  struct Entry {
    std::shared_ptr<const BeaconEvent> event;
    uint64_t first = 0;  // its number, or that of its first vote
    size_t count = 1;
    size_t bytes = 0;
  };

  void RunWakes(const std::stop_token& stop);
  // The first entry that holds an event with this number or a later one.
  size_t IndexOf(uint64_t number) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const uint64_t run_;
  const size_t max_bytes_;

  mutable Mutex mutex_;
  CondVar added_;
  std::deque<Entry> entries_ ABSL_GUARDED_BY(mutex_);  // in order of their numbers, without gaps
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t next_ ABSL_GUARDED_BY(mutex_) = 1;  // number of the next event
  Counts dropped_ ABSL_GUARDED_BY(mutex_){};   // events that are not held any more
  bool has_news_ ABSL_GUARDED_BY(mutex_) = false;

  Mutex watchers_mutex_;  // held while watchers are called
  std::map<WatchId, std::function<void()>> watchers_ ABSL_GUARDED_BY(watchers_mutex_);
  WatchId next_watch_ ABSL_GUARDED_BY(watchers_mutex_) = 1;

  std::jthread thread_;  // the last member, because it uses the others
};

// A place in a history. For one thread at a time.
class EventReader {
 public:
  // Reads events of these kinds: those that are added from now on, or those after a cursor. `history` outlives it.
  EventReader(const EventHistory& history, EventKinds kinds, const std::optional<EventCursor>& after);

  struct Batch {
    // Events before `events` that were dropped before they were read: of the reader's kinds, or of all kinds when the
    // cursor that it began with was older than the history.
    uint64_t lost = 0;
    // The cursor that it began with is of another run of the beacon, or of none: it is not known what was lost.
    bool restarted = false;
    std::vector<EventSlice> slices;

    bool empty() const { return lost == 0 && !restarted && slices.empty(); }
  };
  // At most `most` events. Empty: there is no news. Looks at kMaxLooks entries in one call, so `slices` may also be
  // empty while there is more: see `behind`.
  Batch Read(size_t most);
  // Whether there was more to look at when Read returned.
  bool behind() const { return behind_; }

  // The cursor of an event that it has read.
  EventCursor CursorOf(uint64_t number) const { return {.run = history_.run(), .number = number}; }

 private:
  static constexpr size_t kMaxLooks = 4096;

  // Moves the place to the oldest event that is held, and returns the number of events that it passes.
  uint64_t SkipDropped() ABSL_EXCLUSIVE_LOCKS_REQUIRED(history_.mutex_);

  const EventHistory& history_;
  const EventKinds kinds_;
  uint64_t next_ = 1;                         // number of the next event to look at
  std::optional<EventHistory::Counts> seen_;  // events before `next_`, by kind; nullopt: not known
  bool restarted_ = false;                    // not told yet
  bool behind_ = false;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SERVICES_EVENTS_EVENT_HISTORY_H_
