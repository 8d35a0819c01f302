// Logs what happens to the chain: one line per event, `event key=value ...`, with keys in a fixed order.
#ifndef LEAN_BEACON_SERVICES_EVENT_LOG_H_
#define LEAN_BEACON_SERVICES_EVENT_LOG_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "beacon/chain/chain_types.h"
#include "beacon/services/chain_observer.h"
#include "beacon/services/dependency_queue.h"
#include "beacon/services/submit.h"
#include "common/clock/clock.h"
#include "common/log/line_limit.h"
#include "common/log/logger.h"

namespace lean::beacon {

// "local", or "peer-7".
std::string OriginName(const Origin& origin);

// Counts of events, history included. Thread-safe.
struct EventCounts {
  std::atomic<uint64_t> blocks_accepted = 0;
  std::atomic<uint64_t> votes_accepted = 0;
  std::atomic<uint64_t> blocks_refused = 0;
  std::atomic<uint64_t> votes_refused = 0;
  std::atomic<uint64_t> items_dropped = 0;
  std::atomic<uint64_t> blocks_unpublished = 0;
  std::atomic<uint64_t> votes_unpublished = 0;
  std::atomic<uint64_t> items_overloaded = 0;
  std::atomic<uint64_t> block_equivocations = 0;
  std::atomic<uint64_t> vote_equivocations = 0;
  std::atomic<uint64_t> reorgs = 0;
};

// As thread-safe as its logger. Events of history (ImportMode) are logged at debug level, since sync logs its progress.
// Lines that clients, peers and validators can cause at will are limited by LineLimit, by kind of line and reason.
// Copies share counts and limit.
class EventLog {
 public:
  // `clock` outlives the log.
  EventLog(std::shared_ptr<spdlog::logger> log, const Clock& clock) : log_(std::move(log)), clock_(&clock) {}

  const std::shared_ptr<EventCounts>& counts() const { return counts_; }

  // Logs how many lines were left out, once a minute for each cause. Call it at least that often.
  void LeftOut() const { limit_->LogLeftOut(clock_->Steady(), *log_); }

  void BlockAccepted(const SignedBlockWithAttestation& block, const Root& root, const Origin& origin,
                     std::chrono::milliseconds import_time, ImportMode mode) const;
  void VotesAccepted(size_t accepted, size_t submitted, const Origin& origin) const;
  // An item was refused, at once or after it had waited. A warning for our own clients' items only.
  void Refused(const WaitingItem& item, absl::string_view reason, absl::string_view message) const;
  // The second item that its validator has signed for its slot.
  void Equivocation(const WaitingItem& item) const;
  void Queued(const WaitingItem& item, absl::string_view reason, absl::string_view message) const;
  // An item was dropped from the dependency queue: displaced by other items, or expired.
  void Dropped(const WaitingItem& item, absl::string_view why) const;

  void Head(const Checkpoint& head, ImportMode mode) const;
  void Reorg(const Checkpoint& old_head, const Checkpoint& new_head, uint64_t depth) const;
  void Justified(const Checkpoint& justified, ImportMode mode) const;
  void Finalized(const Checkpoint& finalized, ImportMode mode) const;
  // The chain's time advanced by more than a slot at once: the machine was suspended, or its clock was set.
  void TimeJumped(uint64_t from_slot, uint64_t to_slot) const;
  // The chain's time was set back together with the clock.
  void TimeSetBack(uint64_t from_slot, uint64_t to_slot) const;
  // An accepted item was not published, because the network's channel is full.
  void NotPublished(const OutboundItem& item) const;
  // Items were refused unchecked, because too much is in flight.
  void Overloaded(size_t items, const Origin& origin) const;

 private:
  void Line(spdlog::level::level_enum level, const WaitingItem& item, absl::string_view what, absl::string_view reason,
            absl::string_view message) const;

  void CheckpointLine(absl::string_view what, const Checkpoint& checkpoint, ImportMode mode) const;

  // Whether a line with this cause may be written.
  bool Admit(absl::string_view cause) const { return limit_->Admit(cause, clock_->Steady()); }

  std::shared_ptr<spdlog::logger> log_;
  const Clock* clock_;
  std::shared_ptr<EventCounts> counts_ = std::make_shared<EventCounts>();
  std::shared_ptr<LineLimit> limit_ = std::make_shared<LineLimit>();
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SERVICES_EVENT_LOG_H_
