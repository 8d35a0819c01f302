// The only writer of LeanChain: one loop over one bounded channel.
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
#include "beacon/chain/block_builder.h"
#include "beacon/chain/chain_types.h"
#include "beacon/chain/lean_chain.h"
#include "beacon/services/admission.h"
#include "beacon/services/chain_observer.h"
#include "beacon/services/chain_writer.h"
#include "beacon/services/checks/signature_verifier.h"
#include "beacon/services/event_log.h"
#include "beacon/services/outbound.h"
#include "beacon/services/pending_reply.h"
#include "beacon/services/states/state_rebuilder.h"
#include "beacon/services/states/state_source.h"
#include "beacon/services/submit.h"
#include "beacon/services/votes/clock_evidence.h"
#include "beacon/services/votes/recent_votes.h"
#include "beacon/services/votes/seen_votes.h"
#include "common/clock/clock.h"
#include "common/clock/slot_clock.h"
#include "common/concurrency/bounded_channel.h"
#include "common/concurrency/mutex.h"
#include "common/log/logger.h"

namespace lean::beacon {

struct ChainServiceOptions {
  // Submitted and not yet answered, over all callers. A batch counts each of its votes.
  size_t max_items_in_flight = 16'384;
  size_t max_bytes_in_flight = size_t{256} * 1024 * 1024;
  // Of these for one peer, so that none takes the verifier from the others: two of the largest blocks. All peers
  // together get three quarters, so that our own validators always have the rest.
  size_t max_items_per_peer = 1'024;
  size_t max_bytes_per_peer = size_t{32} * 1024 * 1024;
  ChainWriterOptions writer;
};

// What a service works with; clock, channel and observer outlive the service.
struct ChainServiceContext {
  Clock& clock;
  SlotClock slot_clock;
  OutboundChannel& outbound;  // accepted items go there; when it is full they are not published
  std::shared_ptr<spdlog::logger> log;
  ChainObserver* observer = nullptr;                      // null: nobody keeps the chain
  std::function<void(const WantedRoot&)> want = nullptr;  // see ChainWriterContext
  const StateSource* states = nullptr;  // of what the chain has let go of; null: it is gone. Outlives the service.
};

// What is known of this machine's clock.
struct ClockStatus {
  bool usable = true;
  std::string message;   // why not, for people; empty when it is
  ClockVerdict verdict;  // what votes say
};

// Thread-safe, except for Start and Stop.
//
// A submitted item passes two stages: edge checks and signatures on the verifier's pool, import on the loop. What is in
// flight is bounded in items and bytes as a whole and for each peer, so neither stage can overflow. Items may overtake
// each other before the loop; the dependency queue puts them in order again.
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

  // Brings the chain's time up to the clock and starts the threads.
  void Start();

  // Ends the threads. Everything submitted and not yet imported is answered kShuttingDown before it returns, and so is
  // what is submitted later. May be called again; a stopped service cannot be started.
  void Stop();

  // Never block. `done` is called exactly once: from a service thread, which it must not hold up, or before the call
  // returns when no service thread is needed (kOverloaded, kStorageFailed, kShuttingDown, no votes at all). Pointers
  // are not null. Outcomes are in the votes' order. Of more votes than max_items_in_flight each is kRefused as
  // TOO_LARGE.
  void SubmitBlock(SignedBlockPtr block, const Origin& origin, BlockDone done);
  void SubmitVotes(std::vector<SignedVotePtr> votes, const Origin& origin, VotesDone done);

  // Blocks in the order of their slots, as sync fetches them: their signatures are checked together, then they are
  // imported one after the other, by the same rules and within the same bounds as one block. Outcomes in their order;
  // `done` as above.
  void SubmitHistory(std::vector<SignedBlockPtr> blocks, const Origin& origin, BlocksDone done);

  // What is wrong with a block's form or its proposer's signature, whatever else it holds; nullopt: nothing. On the
  // caller's thread, and nothing is imported.
  std::optional<Refusal> CheckProposer(const SignedBlockWithAttestation& block) const {
    return verifier_->CheckProposer(block);
  }

  // f(const LeanChain&) under the reader lock: for lookups. Take shared pointers out and work on them afterwards. Must
  // not be called from within f, nor may f keep the reference.
  template <typename F>
  auto Read(F&& f) const {
    ReaderLock lock(mutex_);
    return std::forward<F>(f)(std::as_const(chain_));
  }

  // The post-state of a block, from memory or else from the source of states: waits for that one then, never on the
  // chain's thread. kNotFound: there is no such block, or its state cannot be had. kResourceExhausted: too many ask for
  // old states at the same time. kUnavailable: the service is stopping.
  absl::StatusOr<StatePtr> StateOf(const Root& root) const;

  // A snapshot under the reader lock, the work off it, on the caller's thread. Leave no trace in the chain.
  // Errors as of PrepareProposal and BuildBlock, PrepareVote and BuildVote (beacon/chain).
  absl::StatusOr<BuiltBlock> BuildBlock(uint64_t slot, uint64_t proposer) const;
  absl::StatusOr<AttestationData> BuildVote(uint64_t slot) const;

  // The slot by the clock, never behind the chain's own time; negative before genesis.
  int64_t CurrentSlot() const;

  struct QueueSizes {
    size_t in_flight_items = 0;  // submitted and not yet answered
    size_t in_flight_bytes = 0;
    size_t waiting_blocks = 0;  // in the dependency queue
    size_t waiting_votes = 0;
  };
  QueueSizes queue_sizes() const;
  // Of both stages.
  const EventCounts& event_counts() const { return *events_.counts(); }
  SignatureVerifier::Counts signature_counts() const { return verifier_->counts(); }

  // Whether this machine's clock can be signed by.
  ClockStatus clock_status() const;

  // Whose votes for a slot have been seen, in gossip or in a block.
  const SeenVotes& seen_votes() const { return seen_votes_; }
  // The votes themselves, with right signatures, whether the chain took them or not.
  const RecentVotes& recent_votes() const { return recent_votes_; }

 private:
  using BlockReply = PendingReply<SubmitOutcome>;
  using ListReply = PendingReply<std::vector<SubmitOutcome>>;
  struct Tick {};
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
  using Message = std::variant<Tick, CheckedBlock, CheckedVotes, CheckedHistory, GivenState>;
  using MessagePtr = std::unique_ptr<const Message>;

  void RunLoop();
  void RunTicker(std::stop_token stop);
  void Handle(const Tick&) {}  // the loop catches up with the clock before every message
  void Handle(const CheckedBlock& checked);
  void Handle(const CheckedVotes& checked);
  void Handle(const CheckedHistory& checked);
  void Handle(const GivenState& given) { writer_.AddState(given.root, given.state); }
  // What became of a block at the edge; nullopt when it goes on to the chain.
  std::optional<SubmitOutcome> EdgeOutcome(const SignedBlockPtr& block, const BlockVerdict& verdict,
                                           const Origin& origin) const;
  bool HasBlock(const Root& root) const;
  // What the writer tells of states that it wants; null without a source of states.
  std::function<void(const WantedState&)> WantState();
  // Waits for a state that is not in memory.
  absl::StatusOr<StatePtr> AwaitState(const Root& root, const StateAsker& asker) const;
  // The answer to anything submitted while the observer takes nothing; nullopt while it does.
  std::optional<SubmitOutcome> NotAccepting() const;
  // The answer to each of so many items that there is no room for, counted and logged.
  SubmitOutcome Overloaded(size_t items, const Origin& origin) const;
  // The answer to what the edge refused, logged.
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
  std::atomic<bool> tick_pending_ = false;  // a tick is in the channel
  std::atomic<bool> stopping_ = false;
  std::thread loop_;
  std::jthread ticker_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SERVICES_CHAIN_SERVICE_H_
