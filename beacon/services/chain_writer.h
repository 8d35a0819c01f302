// Changes LeanChain: imports checked items, ticks, keeps what must wait, and tells what happened.
#ifndef LEAN_BEACON_SERVICES_CHAIN_WRITER_H_
#define LEAN_BEACON_SERVICES_CHAIN_WRITER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "beacon/chain/chain_types.h"
#include "beacon/chain/lean_chain.h"
#include "beacon/services/chain_observer.h"
#include "beacon/services/dependency_queue.h"
#include "beacon/services/event_log.h"
#include "beacon/services/outbound.h"
#include "beacon/services/submit.h"
#include "beacon/services/votes/seen_votes.h"
#include "common/clock/clock.h"
#include "common/clock/slot_clock.h"
#include "common/concurrency/mutex.h"
#include "common/log/logger.h"

namespace lean::beacon {

struct ChainWriterOptions {
  DependencyLimits waiting;
  PruneLimits prune;
};

// What a writer works on; all of it outlives the writer.
struct ChainWriterContext {
  LeanChain& chain;
  SharedMutex& mutex;  // held to change `chain`; the writer's thread reads it without, since nobody else changes it
  SeenVotes& seen_votes;
  OutboundChannel& outbound;
  Clock& clock;
  SlotClock slot_clock;
  std::shared_ptr<spdlog::logger> log;
  ChainObserver* observer = nullptr;  // null: nobody keeps the chain
  // Told of each block that is missing, once for every item that waits for it. Must not block. Null: nobody asks for
  // it.
  std::function<void(const WantedRoot&)> want = nullptr;
  // Told of each state that is missing; whoever gets it hands it to AddState. Must not block. Null: nobody does, and a
  // block that builds on such a state is refused.
  std::function<void(const WantedState&)> want_state = nullptr;
};

// One thread calls it; the numbers at the end may be read from any.
class ChainWriter {
 public:
  ChainWriter(const ChainWriterContext& context, const ChainWriterOptions& options);
  ChainWriter(const ChainWriter&) = delete;
  ChainWriter& operator=(const ChainWriter&) = delete;

  // Ticks the chain, interval by interval, up to the clock's time, and imports what waited for a slot that has begun.
  // While the clock is less than a slot behind the chain, nothing happens. When it is further behind, it was ahead and
  // has been set: the chain's time is set back, though not behind the finalized block.
  void CatchUp();

  // Items whose form and signatures have been checked. `root` is the block's. What waited for the block follows it in.
  // A block is imported as history (ImportMode) when its slot is as far behind the clock as an item waits at most, and
  // is not published then. So a block that waited in vain for what its votes name is judged like one that comes late.
  SubmitOutcome ImportBlock(SignedBlockPtr block, const Root& root, const Origin& origin);
  // roots[i] is hash_tree_root of votes[i]'s message. An outcome for each, in order.
  std::vector<SubmitOutcome> ImportVotes(absl::Span<const SignedVotePtr> votes, absl::Span<const Root> roots,
                                         const Origin& origin);

  // The post-state of `root` that was wanted, or why there is none: what waited for it is imported, or dropped.
  void AddState(const Root& root, const absl::StatusOr<StatePtr>& state);

  // To be shared by those who log of the same chain.
  const EventLog& events() const { return events_; }

  size_t waiting_blocks() const { return waiting_blocks_.load(std::memory_order_relaxed); }
  size_t waiting_votes() const { return waiting_votes_.load(std::memory_order_relaxed); }
  // The slot by the clock; negative before genesis. The chain's own when that is ahead by one slot, or by as many as
  // the finalized block is.
  int64_t CurrentSlot() const;

 private:
  // Where an item is put that cannot be imported yet, and why.
  struct Wait {
    Dependency dependency;
    absl::string_view reason;
  };

  // Votes of one origin that had waited and were taken up together.
  struct ReleasedVotes {
    std::vector<SignedVotePtr> accepted;
    size_t count = 0;  // with those that were not
  };

  // Imports an item that came just now, or comes back from the queue, or puts it (back) into the queue.
  SubmitOutcome Process(DependencyQueue::Taken taken, bool from_queue);
  bool IsHistory(uint64_t slot) const;
  void SetTimeBack(uint64_t interval);
  // The last try for a block that has become history; others are dropped.
  void HandleExpired(DependencyQueue::Taken taken);
  void Want(const WaitingItem& item, const Root& root, int64_t arrival_slot) const;
  // Whether the block's parent is here with its state.
  bool HasParentState(const Root& parent) const;
  void WantHeadState() const;
  // Lets go of what memory is not meant to keep.
  void Prune();
  absl::Status Apply(const SignedBlockPtr& block, const WaitingItem& item, bool* already_known);
  absl::Status Apply(const SignedVotePtr& vote);
  std::optional<Wait> WaitFor(const absl::Status& status, const WaitingItem& item) const;
  SubmitOutcome Enqueue(DependencyQueue::Taken taken, bool from_queue, const Wait& wait, const absl::Status& status);
  void ImportWaiting(std::vector<DependencyQueue::Taken> ready);
  // Counts and publishes votes, of `count` that were tried together, as one item.
  void FinishVotes(std::vector<SignedVotePtr> accepted, size_t count, const Origin& origin);
  void HandleEvents(const ChainEvents& events, const Checkpoint& old_head, ImportMode mode = ImportMode::kLive);
  uint64_t ReorgDepth(const Checkpoint& old_head) const;
  void Publish(OutboundItem item);
  void UpdateSizes();

  ChainWriterContext context_;
  ChainWriterOptions options_;
  EventLog events_;
  DependencyQueue waiting_;
  std::atomic<size_t> waiting_blocks_ = 0;
  std::atomic<size_t> waiting_votes_ = 0;
  std::atomic<int64_t> chain_slot_;      // of the chain's own time; far in the past before genesis
  std::atomic<int64_t> finalized_slot_;  // of the finalized block
  bool caught_up_ = false;               // CatchUp has run
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SERVICES_CHAIN_WRITER_H_
