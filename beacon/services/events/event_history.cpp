#include "beacon/services/events/event_history.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/bytes/decimal.h"

namespace lean::beacon {
namespace {

size_t BytesInside(const HeadMoved&) { return 0; }
size_t BytesInside(const BlockImported&) { return 0; }
size_t BytesInside(const VotesAccepted& event) { return event.votes.capacity() * sizeof(Attestation); }
size_t BytesInside(const JustifiedMoved&) { return 0; }
size_t BytesInside(const FinalizedMoved&) { return 0; }
size_t BytesInside(const Reorganized&) { return 0; }
size_t BytesInside(const PeerChanged& event) {
  return event.peer_id.capacity() + event.agent.capacity() + event.address.capacity() + event.reason.capacity();
}
size_t BytesInside(const SyncChanged& event) { return event.message.capacity(); }
size_t BytesInside(const GossipBlockSeen&) { return 0; }
size_t BytesInside(const SafeTargetMoved&) { return 0; }
size_t BytesInside(const BlockVotesTold& event) { return lean::beacon::BytesInside(event.votes); }

size_t CountOf(const BeaconEvent& event) {
  const auto* votes = std::get_if<VotesAccepted>(&event);
  return votes == nullptr ? 1 : votes->votes.size();
}

size_t IndexOfKind(const BeaconEvent& event) { return event.index(); }

}  // namespace

std::string EventCursor::ToString() const { return absl::StrCat(run, "-", number); }

absl::StatusOr<EventCursor> EventCursor::Parse(absl::string_view text) {
  const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(text, absl::MaxSplits('-', 1));
  const std::optional<uint64_t> run = ParseDecimal(parts.first);
  const std::optional<uint64_t> number = ParseDecimal(parts.second);
  if (!run.has_value() || !number.has_value()) {
    return absl::InvalidArgumentError("not a cursor, which is the one of an earlier event");
  }
  return EventCursor{.run = *run, .number = *number};
}

EventHistory::EventHistory(uint64_t run, size_t max_bytes)
    : run_(run), max_bytes_(max_bytes), thread_([this](const std::stop_token& stop) { RunWakes(stop); }) {}

void EventHistory::Add(BeaconEvent event) {
  const size_t count = CountOf(event);
  const size_t bytes =
      sizeof(Entry) + sizeof(BeaconEvent) + std::visit([](const auto& content) { return BytesInside(content); }, event);
  auto shared = std::make_shared<const BeaconEvent>(std::move(event));
  std::vector<Entry> dropped;  // freed off the lock
  {
    MutexLock lock(mutex_);
    entries_.push_back({.event = std::move(shared), .first = next_, .count = count, .bytes = bytes});
    next_ += count;
    bytes_ += bytes;
    while (bytes_ > max_bytes_) {
      Entry& oldest = entries_.front();
      dropped_[IndexOfKind(*oldest.event)] += oldest.count;
      bytes_ -= oldest.bytes;
      dropped.push_back(std::move(oldest));
      entries_.pop_front();
    }
    has_news_ = true;
  }
  added_.NotifyOne();
}

size_t EventHistory::IndexOf(uint64_t number) const {
  const auto entry = std::partition_point(entries_.begin(), entries_.end(), [number](const Entry& candidate) {
    return candidate.first + candidate.count <= number;
  });
  return static_cast<size_t>(entry - entries_.begin());
}

EventHistory::WatchId EventHistory::Watch(std::function<void()> wake) {
  MutexLock lock(watchers_mutex_);
  watchers_.emplace(next_watch_, std::move(wake));
  return next_watch_++;
}

void EventHistory::Unwatch(WatchId id) {
  MutexLock lock(watchers_mutex_);
  watchers_.erase(id);
}

metrics::Footprint EventHistory::footprint() const {
  MutexLock lock(mutex_);
  return {.name = "events", .items = entries_.size(), .bytes = bytes_};
}

uint64_t EventHistory::added() const {
  MutexLock lock(mutex_);
  return next_ - 1;
}

void EventHistory::RunWakes(const std::stop_token& stop) {
  while (true) {
    {
      MutexLock lock(mutex_);
      if (!added_.Wait(mutex_, stop, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return has_news_; })) return;
      has_news_ = false;
    }
    {
      MutexLock lock(watchers_mutex_);
      for (const auto& [id, wake] : watchers_) wake();
    }
    MutexLock lock(mutex_);
    added_.WaitFor(mutex_, stop, kPause, [] { return false; });
    if (stop.stop_requested()) return;
  }
}

EventReader::EventReader(const EventHistory& history, EventKinds kinds, const std::optional<EventCursor>& after)
    : history_(history), kinds_(kinds) {
  MutexLock lock(history_.mutex_);
  const bool is_known = after.has_value() && after->run == history_.run_ && after->number < history_.next_;
  restarted_ = after.has_value() && !is_known;
  if (is_known) next_ = after->number + 1;
  if (!after.has_value()) next_ = history_.next_;
  const uint64_t oldest = history_.entries_.empty() ? history_.next_ : history_.entries_.front().first;
  if (restarted_) next_ = oldest;
  if (next_ < oldest) return;  // what lies between is counted when it is read
  seen_ = history_.dropped_;
  for (const EventHistory::Entry& entry : history_.entries_) {
    if (entry.first >= next_) break;
    (*seen_)[IndexOfKind(*entry.event)] += std::min<uint64_t>(entry.count, next_ - entry.first);
  }
}

uint64_t EventReader::SkipDropped() {
  const uint64_t oldest = history_.entries_.empty() ? history_.next_ : history_.entries_.front().first;
  if (next_ >= oldest) return 0;
  uint64_t lost = 0;
  if (!seen_.has_value()) {
    lost = oldest - next_;
  } else {
    for (size_t kind = 0; kind < kEventKinds; ++kind) {
      if (kinds_[kind]) lost += history_.dropped_[kind] - (*seen_)[kind];
    }
  }
  seen_ = history_.dropped_;
  next_ = oldest;
  return lost;
}

EventReader::Batch EventReader::Read(size_t most) {
  Batch batch;
  MutexLock lock(history_.mutex_);
  batch.restarted = std::exchange(restarted_, false);
  batch.lost = SkipDropped();
  size_t looks = 0;
  for (size_t i = history_.IndexOf(next_); i < history_.entries_.size() && most > 0 && looks < kMaxLooks;
       ++i, ++looks) {
    const EventHistory::Entry& entry = history_.entries_[i];
    const size_t kind = IndexOfKind(*entry.event);
    const size_t begin = next_ - entry.first;
    const size_t count = kinds_[kind] ? std::min(most, entry.count - begin) : entry.count - begin;
    if (kinds_[kind]) {
      batch.slices.push_back({.event = entry.event, .begin = begin, .end = begin + count, .first = next_});
      most -= count;
    }
    next_ += count;
    (*seen_)[kind] += count;
  }
  behind_ = next_ < history_.next_;
  return batch;
}

}  // namespace lean::beacon
