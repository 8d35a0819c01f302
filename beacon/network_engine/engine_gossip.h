// Items that the engine brings go to the chain, and the chain's judgement of them back as verdicts.
#ifndef LEAN_BEACON_NETWORK_ENGINE_ENGINE_GOSSIP_H_
#define LEAN_BEACON_NETWORK_ENGINE_ENGINE_GOSSIP_H_

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "beacon/chain/chain_types.h"
#include "beacon/network/gossip_sink.h"
#include "beacon/network_engine/engine_peers.h"
#include "beacon/services/outbound.h"
#include "beacon/services/submit.h"
#include "common/clock/clock.h"
#include "lean/v1/network_engine.pb.h"

namespace lean::beacon {

struct EngineGossipLimits {
  // Items that have no verdict yet, of all peers. What comes beyond is ignored unread.
  size_t votes = 1024;
  size_t blocks = 64;
  // Signatures that are being checked at once: for one peer, and for all. More of it waits here, where it is not
  // refused as too much, and peers take turns.
  size_t work_per_peer = 512;
  size_t work = 4096;

  // Two votes of each validator, as the contract has it.
  static EngineGossipLimits For(size_t validators) {
    EngineGossipLimits limits;
    limits.votes = std::max(limits.votes, 2 * validators);
    return limits;
  }
};

// An item has one verdict: ACCEPT when the chain has accepted it, also after it has waited for what it names; REJECT
// for what no honest peer passes on, which is held against its sender as well; IGNORE for all else. What has none after
// kVerdictTime gets none: it still goes to the chain. Decides nothing about the chain. Thread-safe; outlives the work
// it began.
class EngineGossip {
 public:
  static constexpr std::chrono::seconds kVerdictTime{4};

  using Verdict = std::function<void(uint64_t stream, uint64_t id, v1::Verdict::Outcome outcome)>;

  EngineGossip(GossipSink sink, Verdict verdict, EnginePeers& peers, const Clock& clock,
               const EngineGossipLimits& limits);

  // InvalidArgument: an item of a peer that was never named.
  absl::Status OnItems(uint64_t stream, const v1::GossipItems& items);

  // Accepted by the chain just now. What waited for that has its verdict.
  void OnAccepted(const OutboundItem& item);

  // Verdicts of this stream are void.
  void Reset();
  // Lets go of what has waited too long.
  void Tick(SteadyTime now);

  uint64_t duplicates() const { return duplicates_; }
  // Without a verdict so far.
  size_t undecided() const;

 private:
  using Content = std::variant<SignedBlockPtr, SignedVotePtr>;
  enum class State { kWaiting, kSubmitted, kQueued };

  struct Item {
    uint64_t stream = 0;  // 0: nobody waits for a verdict any more
    uint64_t id = 0;      // the engine's
    Content content;
    SteadyTime came;
    State state = State::kWaiting;
  };
  // What waits for its turn, by our own numbers of items, and the signatures that are being checked.
  struct Line {
    std::deque<uint64_t> blocks;
    std::deque<uint64_t> votes;
    size_t work = 0;

    bool waits() const { return !blocks.empty() || !votes.empty(); }
    bool unused() const { return !waits() && work == 0; }
  };
  // Of one peer, to be submitted together: one block, or votes.
  struct Batch {
    uint64_t peer = 0;
    std::vector<uint64_t> items;
    SignedBlockPtr block;
    std::vector<SignedVotePtr> votes;
    size_t work = 0;
  };

  // What becomes of an item before the chain sees it; nullopt: it waits for its turn.
  std::optional<v1::Verdict::Outcome> Take(uint64_t stream, const v1::GossipItem& item, const EnginePeerPtr& peer);
  // Submits what may be submitted now.
  void Pump();
  std::optional<Batch> NextLocked();
  Batch TakeLocked(uint64_t peer, Line& line);
  void Submit(Batch batch);
  void OnOutcomes(const Batch& batch, const std::vector<SubmitOutcome>& outcomes);
  // Lets go of an item.
  void EraseLocked(std::map<uint64_t, Item>::iterator item);

  const GossipSink sink_;
  const Verdict verdict_;
  EnginePeers& peers_;
  const Clock& clock_;
  const EngineGossipLimits limits_;
  std::atomic<uint64_t> duplicates_ = 0;

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  uint64_t last_item_ = 0;
  std::map<uint64_t, Item> items_;
  absl::flat_hash_map<const void*, uint64_t> by_content_;  // items_ by the object that the chain was given
  size_t blocks_ = 0;                                      // of items_
  std::map<uint64_t, Line> lines_;                         // by peer
  uint64_t last_turn_ = 0;                                 // the peer that had it
  size_t work_ = 0;
  bool pumping_ = false;
  bool pump_again_ = false;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_ENGINE_ENGINE_GOSSIP_H_
