// Items that the engine brings go to the chain, and the chain's judgement of them back as verdicts.
#ifndef LEAN_BEACON_NETWORK_GOSSIP_GOSSIP_H_
#define LEAN_BEACON_NETWORK_GOSSIP_GOSSIP_H_

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "beacon/chain/chain_types.h"
#include "beacon/network/engine/outbox.h"
#include "beacon/network/peers/peers.h"
#include "beacon/services/outbound.h"
#include "beacon/services/submit.h"
#include "common/clock/clock.h"
#include "common/concurrency/fair_queue.h"
#include "common/concurrency/mutex.h"
#include "lean/v1/network_engine.pb.h"

namespace lean::beacon {

// Where items go: ChainService's Submit calls, or a test's.
struct GossipSink {
  std::function<void(SignedBlockPtr, const Origin&, std::function<void(SubmitOutcome)>)> block;
  std::function<void(std::vector<SignedVotePtr>, const Origin&, std::function<void(std::vector<SubmitOutcome>)>)> votes;
};

// What the contract lets the engine bring without a verdict, in bytes: two votes of each validator, or 1024, and 128
// MiB of blocks. Beyond it the peer makes room that has most of it.
struct GossipLimits {
  static GossipLimits For(size_t validators) {
    return {.vote_bytes = std::max<size_t>(1024, 2 * validators) * sizeof(SignedAttestation)};
  }

  size_t vote_bytes = 0;
  size_t block_bytes = size_t{128} << 20;
  // Signatures that are being checked at once, unless a single block has more. ChainService takes twice as many of a
  // peer.
  size_t work = 512;
};

// An item has one verdict: ACCEPT when the chain has accepted it, also after it has waited for what it names; REJECT
// for what no honest peer passes on, which is held against its sender as well; IGNORE for all else. What has none after
// kVerdictTime gets none: it still goes to the chain. Peers take turns, and blocks go first. Decides nothing about the
// chain. Thread-safe; outlives the work it began.
class Gossip {
 public:
  static constexpr std::chrono::seconds kVerdictTime{4};

  Gossip(GossipSink sink, SendToEngine send, Peers& peers, const Clock& clock, const GossipLimits& limits)
      : sink_(std::move(sink)),
        send_(std::move(send)),
        peers_(peers),
        clock_(clock),
        max_work_(limits.work),
        blocks_({.values = std::numeric_limits<size_t>::max(), .weight = limits.block_bytes}),
        votes_({.values = std::numeric_limits<size_t>::max(), .weight = limits.vote_bytes}) {}

  // InvalidArgument: an item of a peer that was never named.
  absl::Status OnItems(uint64_t stream, const v1::GossipItems& items);
  // Accepted by the chain just now. What waited for that has its verdict.
  void OnAccepted(const OutboundItem& item);
  // A new stream, or 0: items of the one before get no verdicts.
  void Reset(uint64_t stream);
  // Lets go of what has waited too long.
  void Tick(SteadyTime now);

  struct Counts {
    uint64_t blocks = 0;  // that came in
    uint64_t votes = 0;
    uint64_t duplicates = 0;  // of them, those that the chain knew
  };
  Counts counts() const;
  // Without a verdict so far.
  size_t undecided() const;

 private:
  struct Item {
    uint64_t id = 0;                      // the engine's
    std::shared_ptr<const void> content;  // alive, so that no other object has its place
    SteadyTime came;
    bool due = true;      // somebody waits for a verdict
    bool queued = false;  // by the chain, which has answered
  };
  using Items = absl::flat_hash_map<const void*, Item>;  // by the object that the chain is given

  // Of one peer, to be checked together: one block, or votes.
  struct Batch {
    uint64_t peer = 0;
    SignedBlockPtr block;
    std::vector<SignedVotePtr> votes = {};

    size_t work() const { return block != nullptr ? block->signature.size() + 1 : votes.size(); }
    // What items_ has it by.
    std::vector<const void*> contents() const;
  };

  // The item as the chain gets it; null: it is none, which its peer is blamed for.
  template <typename T>
  std::shared_ptr<const T> Read(const v1::GossipItem& item, const std::string& ssz, uint64_t peer,
                                v1::Verdicts* verdicts);
  // Lets it wait for its turn. What makes room for it is ignored.
  void Wait(Batch batch, v1::Verdicts* verdicts);
  // Submits what may be submitted now.
  void Pump();
  void Submit(const Batch& batch);
  void OnOutcomes(const Batch& batch, const std::vector<SubmitOutcome>& outcomes);
  // Adds the verdict on an item, and lets go of it; nullopt: the chain has queued it.
  void DecideLocked(const void* content, std::optional<v1::Verdict::Outcome> outcome, v1::Verdicts* verdicts)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Items that came until then get no verdict any more.
  void GiveUpLocked(SteadyTime until) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Send(uint64_t stream, v1::Verdicts verdicts);

  const GossipSink sink_;
  const SendToEngine send_;
  Peers& peers_;
  const Clock& clock_;
  const size_t max_work_;

  mutable Mutex mutex_;
  uint64_t stream_ ABSL_GUARDED_BY(mutex_) = 0;
  Items items_ ABSL_GUARDED_BY(mutex_);
  FairQueue<Batch, 1> blocks_ ABSL_GUARDED_BY(mutex_);  // that wait for their turn
  FairQueue<Batch, 1> votes_ ABSL_GUARDED_BY(mutex_);   // likewise, and after the blocks
  size_t work_ ABSL_GUARDED_BY(mutex_) = 0;
  bool pumping_ ABSL_GUARDED_BY(mutex_) = false;
  Counts counts_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_GOSSIP_GOSSIP_H_
