// A range of slots being fetched from several peers at once, batch by batch, and handed out in order. Pure.
#ifndef LEAN_BEACON_SYNC_RANGE_RANGE_PLAN_H_
#define LEAN_BEACON_SYNC_RANGE_RANGE_PLAN_H_

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <vector>

#include "absl/status/status.h"
#include "beacon/chain/chain_types.h"
#include "beacon/network/peers/peer_blocks.h"
#include "common/clock/clock.h"

namespace lean::beacon {

struct RangePlanOptions {
  uint64_t batch_slots = 32;
  size_t window = 8;  // batches under way at once
  size_t max_bytes_held =
      size_t{64} * 1024 * 1024;               // fetched and not handed out; beyond it only the next batch goes on
  std::chrono::milliseconds patience{2'000};  // after which the next batch is asked of a second peer, too
};

class RangePlan {
 public:
  struct Ask {
    uint64_t peer = 0;
    uint64_t first_slot = 0;
    uint64_t count = 0;
  };
  // Blocks that follow what was handed out before, all from one peer.
  struct Ready {
    uint64_t peer = 0;
    std::vector<SignedBlockPtr> blocks;
  };

  // Slots first <= slot <= last. `only_peer`: whoever else is there is not asked.
  RangePlan(uint64_t first, uint64_t last, std::optional<uint64_t> only_peer, const RangePlanOptions& options);

  // What to ask of whom now. `peers`: best first. `reserve`: takes one of the requests that a peer may be asked; false
  // when it has none left.
  std::vector<Ask> Next(const std::vector<PeerInfo>& peers, const std::function<bool(uint64_t)>& reserve,
                        SteadyTime now);

  // An answer to Ask{peer, first_slot, ..}: blocks within the slots that were asked for, ascending. Not OK: they are
  // not a chain, and are dropped. An answer that is not waited for any more is ignored.
  absl::Status Answered(uint64_t peer, uint64_t first_slot, std::vector<SignedBlockPtr> blocks);
  // There is no answer, or it was no good: another peer is asked, this one only when all others were.
  void Failed(uint64_t peer, uint64_t first_slot);

  // The next blocks in order; nullopt: they are not here yet. Until Done or Refetch nothing more is handed
  // out.
  std::optional<Ready> Take();
  void Done() { out_ = false; }
  // They were no good: they and all else that their peer answered are fetched from others.
  void Refetch(const Ready& ready);

  // The last slot may grow while the plan runs.
  void Extend(uint64_t last) { last_ = std::max(last_, last); }

  // Peers that said of a whole batch that there is nothing. It may be so, or they keep it back.
  const std::set<uint64_t>& silent_peers() const { return silent_peers_; }

  // The next blocks are not under way, and none of these peers claims to have them.
  bool IsStuck(const std::vector<PeerInfo>& peers) const;
  bool finished() const { return batches_.empty() && next_slot_ > last_ && !out_; }
  uint64_t last() const { return last_; }
  std::optional<uint64_t> only_peer() const { return only_peer_; }
  // Slots whose blocks were handed out.
  uint64_t slots_done() const { return (batches_.empty() ? next_slot_ : batches_.front().first) - first_; }

 private:
  // An answer may hold fewer blocks than asked, for its bytes are bounded: what is behind its last block is asked again
  // of the same peer, until it says that there is nothing.
  struct Batch {
    uint64_t first = 0;        // slots below have been handed out
    uint64_t next = 0;         // slots below have been answered
    uint64_t end = 0;          // one behind the last slot
    std::set<uint64_t> asked;  // whom an answer is waited for from
    std::set<uint64_t> tried;  // who failed
    SteadyTime asked_at;
    std::deque<Ready> answers;  // in order, none of them empty

    bool complete() const { return next >= end; }
  };

  void OpenBatches();
  bool CanServe(const PeerInfo& peer, const Batch& batch) const;
  Batch* FindBatch(uint64_t peer, uint64_t first_slot);
  // Forgets what was answered and not handed out.
  void Reset(Batch& batch);

  const RangePlanOptions options_;
  const uint64_t first_;
  uint64_t last_;
  const std::optional<uint64_t> only_peer_;
  uint64_t next_slot_;         // of the next batch
  std::deque<Batch> batches_;  // in order; the first is the next to be handed out
  bool out_ = false;           // blocks are handed out and not done
  size_t bytes_held_ = 0;
  std::set<uint64_t> silent_peers_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SYNC_RANGE_RANGE_PLAN_H_
