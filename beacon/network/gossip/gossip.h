// Passes items of gossip from the engine to the chain, and the chain's outcomes back as verdicts.
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
#include "absl/status/statusor.h"
#include "beacon/chain/chain_types.h"
#include "beacon/network/engine/item_codec.h"
#include "beacon/network/engine/outbox.h"
#include "beacon/network/peers/peers.h"
#include "beacon/services/chain_observer.h"
#include "beacon/services/submit.h"
#include "common/clock/clock.h"
#include "common/concurrency/fair_queue.h"
#include "common/concurrency/mutex.h"
#include "common/metrics/footprint.h"
#include "lean/v1/network_engine.pb.h"

namespace lean::beacon {

// Where items are submitted: ChainService, or a test.
struct GossipSink {
  std::function<void(SignedBlockPtr, const Origin&, std::function<void(SubmitOutcome)>)> block;
  std::function<void(std::vector<SignedVotePtr>, const Origin&, std::function<void(std::vector<SubmitOutcome>)>)> votes;
};

// How many bytes of items may wait. The contract lets the engine send two votes of each validator, or 1024, without a
// verdict; blocks have 128 MiB. Beyond that, items of the peer with most bytes are dropped.
struct GossipLimits {
  static GossipLimits For(size_t validators) {
    return {.vote_bytes = std::max<size_t>(1024, 2 * validators) * sizeof(SignedAttestation)};
  }

  size_t vote_bytes = 0;
  size_t block_bytes = size_t{128} << 20;
  // Signatures that are verified at once, unless a single block has more. ChainService accepts twice as many of one
  // peer.
  size_t work = 512;
};

// Each item gets one verdict: ACCEPT when the chain has accepted it, even after it has waited for a block; REJECT when
// no honest peer forwards it, which is also an offence of its sender; IGNORE otherwise. An item without a verdict after
// kVerdictTime gets none, but still goes to the chain. Peers take turns, and blocks go before votes. Thread-safe;
// outlives the submissions that it has made.
class Gossip {
 public:
  static constexpr std::chrono::seconds kVerdictTime{4};

  Gossip(GossipSink sink, SendToEngine send, Peers& peers, const Clock& clock, const GossipLimits& limits,
         ItemCodec codec = {})
      : sink_(std::move(sink)),
        codec_(std::move(codec)),
        send_(std::move(send)),
        peers_(peers),
        clock_(clock),
        max_work_(limits.work),
        blocks_({.values = std::numeric_limits<size_t>::max(), .weight = limits.block_bytes}),
        votes_({.values = std::numeric_limits<size_t>::max(), .weight = limits.vote_bytes}) {}

  // InvalidArgument: an item of a peer that the engine has never named.
  absl::Status OnItems(uint64_t stream, const v1::GossipItems& items);
  // The chain has accepted a peer's item, perhaps after it has waited: sends its verdict.
  void OnAccepted(const OutboundItem& item);
  // Starts a new stream; 0: none. Items of the stream before get no verdicts.
  void Reset(uint64_t stream);
  // Forgets items that have waited too long for their verdict.
  void Tick(SteadyTime now);

  struct Counts {
    uint64_t blocks = 0;  // received
    uint64_t votes = 0;
    uint64_t duplicates = 0;  // of both, those that the chain already knew
  };
  Counts counts() const;
  // Items without a verdict.
  size_t undecided() const;
  // Of the items that are not submitted yet, and of those without a verdict.
  metrics::FootprintList queues() const;

 private:
  struct Item {
    uint64_t id = 0;                      // the engine's id id id
    std::shared_ptr<const void> content;  // keeps the address, which is the key, from being used again
    SteadyTime came;
    bool due = true;      // the engine waits for a verdict
    bool queued = false;  // in the chain's dependency queue
  };
  using Items = absl::flat_hash_map<const void*, Item>;  // by address of the block or vote

  // Items of one peer that are submitted together: one block, or votes.
  struct Batch {
    uint64_t peer = 0;
    SignedBlockPtr block;
    std::vector<SignedVotePtr> votes = {};

    size_t work() const { return block != nullptr ? block->signature.size() + 1 : votes.size(); }
    // Keys in items_.
    std::vector<const void*> contents() const;
  };

  // Takes a decoded item. Null: it is malformed; its peer is blamed.
  template <typename T>
  std::shared_ptr<const T> Take(const v1::GossipItem& item, absl::StatusOr<std::shared_ptr<const T>> content,
                                uint64_t peer, v1::Verdicts* verdicts);
  // Queues a batch. Items that are displaced get IGNORE.
  void Wait(Batch batch, v1::Verdicts* verdicts);
  // Submits batches up to max_work_.
  void Pump();
  void Submit(const Batch& batch);
  void OnOutcomes(const Batch& batch, const std::vector<SubmitOutcome>& outcomes);
  // Adds the verdict on an item and forgets the item. nullopt: the chain has queued it.
  void DecideLocked(const void* content, std::optional<v1::Verdict::Outcome> outcome, v1::Verdicts* verdicts)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Items that arrived at `until` or earlier get no verdict any more.
  void GiveUpLocked(SteadyTime until) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Send(uint64_t stream, v1::Verdicts verdicts);

  const GossipSink sink_;
  const ItemCodec codec_;
  const SendToEngine send_;
  Peers& peers_;
  const Clock& clock_;
  const size_t max_work_;

  mutable Mutex mutex_;
  uint64_t stream_ ABSL_GUARDED_BY(mutex_) = 0;
  Items items_ ABSL_GUARDED_BY(mutex_);
  FairQueue<Batch, 1> blocks_ ABSL_GUARDED_BY(mutex_);  // not yet submitted
  FairQueue<Batch, 1> votes_ ABSL_GUARDED_BY(mutex_);   // not yet submitted; after the blocks
  size_t work_ ABSL_GUARDED_BY(mutex_) = 0;
  bool pumping_ ABSL_GUARDED_BY(mutex_) = false;
  Counts counts_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_GOSSIP_GOSSIP_H_
