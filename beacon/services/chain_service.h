// ChainService: the only owner and writer of LeanChain. One loop takes messages from one bounded channel.
#ifndef LEAN_BEACON_SERVICES_CHAIN_SERVICE_H_
#define LEAN_BEACON_SERVICES_CHAIN_SERVICE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "beacon/chain/builders.h"
#include "beacon/chain/chain_types.h"
#include "beacon/chain/lean_chain.h"
#include "beacon/services/admission.h"
#include "beacon/services/chain_metrics.h"
#include "beacon/services/chain_observer.h"
#include "beacon/services/chain_writer.h"
#include "beacon/services/checks/signature_verifier.h"
#include "beacon/services/event_log.h"
#include "beacon/services/events/event_history.h"
#include "beacon/services/state_rebuilder.h"
#include "beacon/services/submit.h"
#include "beacon/services/votes/clock_evidence.h"
#include "beacon/services/votes/seen_votes.h"
#include "common/clock/clock.h"
#include "common/clock/slot_clock.h"
#include "common/concurrency/bounded_channel.h"
#include "common/concurrency/mutex.h"
#include "common/log/logger.h"
#include "common/metrics/footprint.h"

namespace lean::beacon {

struct ChainServiceOptions {
  // Items that are submitted and not yet answered, over all callers. Each vote of a batch counts.
  size_t max_items_in_flight = 16'384;
  size_t max_bytes_in_flight = size_t{256} * 1024 * 1024;
  // The share of one peer, so that no peer can occupy the verifier: two of the largest blocks. All peers together get
  // three quarters; the rest is reserved for our own validators.
  size_t max_items_per_peer = 1'024;
  size_t max_bytes_per_peer = size_t{32} * 1024 * 1024;
  ChainWriterOptions writer;
};

// What the service works with. Clock, channel and observer outlive it.
struct ChainServiceContext {
  Clock& clock;
  SlotClock slot_clock;
  OutboundChannel& outbound;  // receives accepted items; when it is full, they are not published
  std::shared_ptr<spdlog::logger> log;
  ChainObserver* observer = nullptr;                      // null: the chain is not stored
  std::function<void(const WantedRoot&)> want = nullptr;  // see ChainWriterContext
  ChainMetrics* metrics = nullptr;                        // null: nothing is measured; outlives the service
  const StateSource* states = nullptr;  // of pruned states; null: they are lost. Outlives the service.
  EventHistory* events = nullptr;       // for those who watch the chain; null: nobody can. Outlives the service.
};

// Whether this machine's clock is right.
struct ClockStatus {
  bool usable = true;
  std::string message;   // why not, for people; empty when it is
  ClockVerdict verdict;  // what votes say
};

// Thread-safe, except for Start and Stop.
//
// A submitted item passes two stages: edge checks and signatures on the verifier's pool, then the import on the loop.
// Items in flight are bounded in number and bytes, in total and for each peer, so that neither stage can overflow.
// Items may overtake each other before the loop; the dependency queue restores their order.
class ChainService {
 public:
  using BlockDone = std::function<void(SubmitOutcome)>;
  using BlocksDone = std::function<void(std::vector<SubmitOutcome>)>;
  using VotesDone = std::function<void(std::vector<SubmitOutcome>)>;

  ChainService(LeanChain chain, std::unique_ptr<SignatureVerifier> verifier, const ChainServiceContext& context,
               const ChainServiceOptions& options);
  // As Stop().
  ~ChainService();
  ChainService(const ChainService&) = delete;
  ChainService& operator=(const ChainService&) = delete;

  // Advances the chain to the clock's time and starts the threads.
  void Start();

  // For one thread that does everything, such as a simulation's, instead of Start. The verifier has no threads. The
  // caller calls Tick at the beginning of each interval, and Step after each call until nothing waits.
  void StartWithoutThreads();
  void Tick();
  // Does one piece of the work that waits. False: nothing waits.
  bool Step();

  // Stops the threads. Items that are not yet imported, and items that are submitted later, are answered kShuttingDown
  // before Stop returns. May be called again; a stopped service cannot be started.
  void Stop();

  // Do not block. `done` is called exactly once: on a service thread, which it must not block, or before the call
  // returns (kOverloaded, kStorageFailed, kShuttingDown, no votes). Pointers are not null. Outcomes are in the votes'
  // order. When there are more votes than max_items_in_flight, each is kRefused as TOO_LARGE.
  void SubmitBlock(SignedBlockPtr block, const Origin& origin, BlockDone done) {
    SubmitBlock(std::move(block), BodySignatures::kUnknown, origin, std::move(done));
  }
  // A block of BuildBlock with its proposer's signature: the signatures of its votes are not verified again.
  void SubmitBuiltBlock(SignedBlockPtr block, BlockDone done) {
    SubmitBlock(std::move(block), BodySignatures::kVerified, Origin::Local(), std::move(done));
  }
  void SubmitVotes(std::vector<SignedVotePtr> votes, const Origin& origin, VotesDone done);

  // Imports blocks that sync has fetched, in the order of their slots. Signatures are checked together; then the blocks
  // are imported one by one, by the same rules and within the same bounds as a single block. Outcomes are in the
  // blocks' order; `done` as above.
  void SubmitHistory(std::vector<SignedBlockPtr> blocks, const Origin& origin, BlocksDone done);

  // Checks a block's form and its proposer's signature only, on the caller's thread, and imports nothing. nullopt: they
  // are right.
  std::optional<Refusal> CheckProposer(const SignedBlockWithAttestation& block) const {
    return verifier_->CheckProposer(block);
  }

  // Verifies the signature of a validator in the registry, on the caller's thread. nullopt: it is right.
  std::optional<Refusal> CheckSignature(const Attestation& vote, const SignatureBytes& signature) const {
    return verifier_->CheckSignature(vote, signature);
  }

  bool HasBlock(const Root& root) const;

  // Calls f(const LeanChain&) under the reader lock. For lookups: `f` returns shared pointers, and the work on them
  // follows without the lock. Read must not be called from within `f`, and `f` must not keep the reference.
  template <typename F>
  auto Read(F&& f) const {
    ReaderLock lock(mutex_);
    return std::forward<F>(f)(std::as_const(chain_));
  }

  // The post-state of a block, from memory or from the source of states. Blocks while the source works; not to be
  // called on the chain's thread. kNotFound: there is no such block, or its state cannot be restored.
  // kResourceExhausted: too many old states are requested at once. kUnavailable: the service is stopping.
  absl::StatusOr<StatePtr> StateOf(const Root& root) const;

  // Build on the caller's thread, from a snapshot that is taken under the reader lock. The chain does not change.
  // Errors as of PrepareProposal and BuildBlock, PrepareVote and BuildVote (beacon/chain).
  absl::StatusOr<BuiltBlock> BuildBlock(uint64_t slot, uint64_t proposer) const;
  absl::StatusOr<AttestationData> BuildVote(uint64_t slot) const;

  // The slot by the clock, or by the chain's own time if that is later; negative before genesis.
  int64_t CurrentSlot() const;

  struct QueueSizes {
    size_t in_flight_items = 0;  // submitted and not yet answered
    size_t in_flight_bytes = 0;
    size_t waiting_blocks = 0;  // in the dependency queue
    size_t waiting_votes = 0;
  };
  QueueSizes queue_sizes() const;
  // What grows, for metrics.
  metrics::FootprintList queues() const;
  metrics::FootprintList caches() const;
  // Events of both stages.
  const EventCounts& event_counts() const { return *events_.counts(); }
  SignatureVerifier::Counts signature_counts() const { return verifier_->counts(); }

  // Whether validators may sign by this machine's clock.
  ClockStatus clock_status() const;

  // Which validators' votes were seen, in gossip or in a block.
  const SeenVotes& seen_votes() const { return seen_votes_; }
  // The signed votes themselves, even those that the chain has refused.
  const RecentVotes& recent_votes() const { return recent_votes_; }

 private:
  using BlockReply = AnswerOnce<SubmitOutcome>;
  using ListReply = AnswerOnce<std::vector<SubmitOutcome>>;
  struct Ticked {};
  struct CheckedBlock {
    SignedBlockPtr block;
    Root root;
    Origin origin;
    std::shared_ptr<BlockReply> reply;
  };
  struct CheckedVotes {
    std::vector<SignedVotePtr> votes;
    std::vector<VoteVerdict> verdicts;
    Origin origin;
    std::shared_ptr<ListReply> reply;
  };
  struct CheckedHistory {
    std::vector<SignedBlockPtr> blocks;
    std::vector<BlockVerdict> verdicts;
    Origin origin;
    std::shared_ptr<ListReply> reply;
  };
  struct GivenState {
    Root root;
    absl::StatusOr<StatePtr> state;
  };
  using Message = std::variant<Ticked, CheckedBlock, CheckedVotes, CheckedHistory, GivenState>;
  using MessagePtr = std::unique_ptr<const Message>;

  void RunLoop();
  void Take(const Message& message);
  void RunTicker(std::stop_token stop);
  void Handle(const Ticked&) {}  // the loop catches up with the clock before every message
  void Handle(const CheckedBlock& checked);
  void Handle(const CheckedVotes& checked);
  void Handle(const CheckedHistory& checked);
  void Handle(const GivenState& given) { writer_.AddState(given.root, given.state); }
  // The outcome of a block that the edge checks ended; nullopt: it goes on to the chain.
  std::optional<SubmitOutcome> EdgeOutcome(const SignedBlockPtr& block, const BlockVerdict& verdict,
                                           const Origin& origin) const;
  void SubmitBlock(SignedBlockPtr block, BodySignatures body, const Origin& origin, BlockDone done);
  // The callback by which the writer requests states; null without a source of states.
  std::function<void(const WantedState&)> WantState();
  absl::StatusOr<BuiltBlock> TryBuildBlock(uint64_t slot, uint64_t proposer) const;
  // Waits for a state that is not in memory.
  absl::StatusOr<StatePtr> AwaitState(const Root& root, const StateAsker& asker) const;
  // Returns the result of `prepare`. If the chain does not have the state that it needs, calls it again with that
  // state.
  template <typename Prepare>
  auto WithState(const Prepare& prepare) const;
  // The outcome of every submission while the observer accepts nothing; nullopt while it accepts.
  std::optional<SubmitOutcome> NotAccepting() const;
  // The outcome of items that do not fit the budget; counts and logs them.
  SubmitOutcome Overloaded(size_t items, const Origin& origin) const;
  // The outcome of an item that the edge checks refused; logs it.
  SubmitOutcome Refuse(const WaitingItem& item, const Refusal& refusal) const;

  const ChainServiceContext context_;
  const std::unique_ptr<SignatureVerifier> verifier_;
  mutable SharedMutex mutex_;
  LeanChain chain_ ABSL_GUARDED_BY(mutex_);  // only the loop, and Start before it, change it
  SeenVotes seen_votes_;
  mutable ClockEvidence clock_evidence_;
  RecentVotes recent_votes_;
  ChainWriter writer_;  // the loop's, and Start's before it
  Admission admission_;
  const std::unique_ptr<StateRebuilder> rebuilder_;  // null without a source of states
  BoundedChannel<MessagePtr> channel_;
  EventLog events_;
  const size_t max_items_in_flight_;
  std::atomic<bool> tick_queued_ = false;  // a tick is in the channel
  std::atomic<bool> stopping_ = false;
  bool has_threads_ = true;  // false from StartWithoutThreads on
  std::thread loop_;
  std::jthread ticker_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SERVICES_CHAIN_SERVICE_H_
