// Changes LeanChain: imports checked items, advances time, keeps items that must wait, and reports events.
#ifndef LEAN_BEACON_SERVICES_CHAIN_WRITER_H_
#define LEAN_BEACON_SERVICES_CHAIN_WRITER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "beacon/chain/chain_types.h"
#include "beacon/chain/lean_chain.h"
#include "beacon/services/chain_metrics.h"
#include "beacon/services/chain_observer.h"
#include "beacon/services/dependency_queue.h"
#include "beacon/services/event_log.h"
#include "beacon/services/events/event_history.h"
#include "beacon/services/submit.h"
#include "beacon/services/votes/seen_votes.h"
#include "common/clock/clock.h"
#include "common/clock/slot_clock.h"
#include "common/concurrency/mutex.h"
#include "common/log/logger.h"
#include "common/metrics/footprint.h"

namespace lean::beacon {

struct ChainWriterOptions {
  DependencyLimits waiting;
  PruneLimits prune;
};

// What the writer works on. All of it outlives the writer.
struct ChainWriterContext {
  LeanChain& chain;
  SharedMutex& mutex;  // held to change `chain`; the writer's thread reads it without, since nobody else changes it
  SeenVotes& seen_votes;
  OutboundChannel& outbound;
  Clock& clock;
  SlotClock slot_clock;
  std::shared_ptr<spdlog::logger> log;
  ChainObserver* observer = nullptr;  // null: the chain is not stored
  // Called with each missing block, once for every item that waits for it. Must not block. Null: missing blocks are not
  // fetched.
  std::function<void(const WantedRoot&)> want = nullptr;
  // Called with each missing state, which is then passed to AddState. Must not block. Null: there is no source of
  // states, and a block that builds on a missing state is refused.
  std::function<void(const WantedState&)> want_state = nullptr;
  EventHistory* events = nullptr;   // for those who watch the chain; null: nobody can
  ChainMetrics* metrics = nullptr;  // null: nothing is measured
};

// Used by one thread; the sizes and CurrentSlot may be read from any.
class ChainWriter {
 public:
  ChainWriter(const ChainWriterContext& context, const ChainWriterOptions& options);
  ChainWriter(const ChainWriter&) = delete;
  ChainWriter& operator=(const ChainWriter&) = delete;

  // Advances the chain interval by interval to the clock's time, and imports items that waited for a slot that has
  // begun. Does nothing while the clock is less than a slot behind the chain. A clock that is further behind was set
  // back: then the chain's time is set back too, though not behind the finalized block.
  void CatchUp();

  // Imports a block whose form and signatures are checked, then the items that waited for it. `root` is the block's. A
  // block whose slot is further behind the clock than an item may wait is imported as history (ImportMode) and is not
  // published.
  SubmitOutcome ImportBlock(SignedBlockPtr block, const Root& root, const Origin& origin);
  // Imports votes whose signatures are checked. roots[i] is the hash_tree_root of votes[i]'s message. Returns an
  // outcome for each, in order.
  std::vector<SubmitOutcome> ImportVotes(absl::Span<const SignedVotePtr> votes, absl::Span<const Root> roots,
                                         const Origin& origin);

  // Takes a post-state that was requested, or the error why there is none. Imports the items that waited for it, or
  // drops them.
  void AddState(const Root& root, const absl::StatusOr<StatePtr>& state);

  // Shared by everybody who logs events of this chain.
  const EventLog& events() const { return events_; }

  size_t waiting_blocks() const { return waiting_blocks_.load(std::memory_order_relaxed); }
  size_t waiting_votes() const { return waiting_votes_.load(std::memory_order_relaxed); }
  // What waits in the dependency queue.
  metrics::FootprintList queues() const;
  // The slot by the clock; negative before genesis. The chain's own slot if that is one ahead, or as far ahead as the
  // finalized block.
  int64_t CurrentSlot() const;

 private:
  // What an item that cannot be imported yet waits for, and why.
  struct Wait {
    Dependency dependency;
    absl::string_view reason;
  };

  // Votes of one origin that waited and are imported together.
  struct ReleasedVotes {
    std::vector<SignedVotePtr> accepted;
    size_t count = 0;  // of all votes, accepted or not
  };

  // Imports a new item or one from the queue. Puts it into the queue, or back, when it has to wait.
  SubmitOutcome Process(DependencyQueue::Taken taken, bool from_queue);
  bool IsHistory(uint64_t slot) const;
  void SetTimeBack(uint64_t interval);
  // Handles an item that has waited too long: imports a block that has become history, drops anything else.
  void HandleExpired(DependencyQueue::Taken taken);
  void Want(const WaitingItem& item, const Root& root, int64_t arrival_slot) const;
  // Whether the parent block is in the chain with its state.
  bool HasParentState(const Root& parent) const;
  void WantHeadState() const;
  // Drops what exceeds the limits of memory.
  void Prune();
  absl::Status Apply(const SignedBlockPtr& block, const WaitingItem& item, bool* already_known);
  absl::Status Apply(const SignedVotePtr& vote);
  std::optional<Wait> WaitFor(const absl::Status& status, const WaitingItem& item) const;
  SubmitOutcome Enqueue(DependencyQueue::Taken taken, bool from_queue, const Wait& wait, const absl::Status& status);
  void ImportWaiting(std::vector<DependencyQueue::Taken> ready);
  // Counts accepted votes, out of `count` that were imported together, and publishes them as one item.
  void FinishVotes(std::vector<SignedVotePtr> accepted, size_t count, const Origin& origin);
  void HandleEvents(const ChainEvents& events, const Checkpoint& old_head, ImportMode mode = ImportMode::kLive);
  uint64_t ReorgDepth(const Checkpoint& old_head) const;
  // Adds an event to the history for those who watch.
  void Tell(BeaconEvent event) const {
    if (context_.events != nullptr) context_.events->Add(std::move(event));
  }
  void TellVotesOf(const Block& block, const Root& root) const;
  EventBlock Described(const Checkpoint& block) const;
  void Publish(OutboundItem item);
  void UpdateSizes();

  ChainWriterContext context_;
  ChainWriterOptions options_;
  EventLog events_;
  DependencyQueue waiting_;
  std::atomic<size_t> waiting_blocks_ = 0;
  std::atomic<size_t> waiting_votes_ = 0;
  std::atomic<size_t> waiting_block_bytes_ = 0;
  std::atomic<size_t> waiting_vote_bytes_ = 0;
  std::atomic<int64_t> chain_slot_;      // of the chain's own time; far in the past before genesis
  std::atomic<int64_t> finalized_slot_;  // of the finalized block
  bool caught_up_ = false;               // CatchUp has run
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SERVICES_CHAIN_WRITER_H_
