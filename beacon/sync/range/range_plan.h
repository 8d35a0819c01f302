// Plans the fetching of a range of slots: batches from several peers at once, returned in order. Pure.
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
#include "beacon/network/peers/peer_view.h"
#include "common/clock/clock.h"

namespace lean::beacon {

struct RangePlanOptions {
  uint64_t batch_slots = 32;
  size_t window = 8;  // batches in progress at once
  size_t max_bytes_held =
      size_t{64} * 1024 * 1024;               // bytes fetched and not returned; beyond it only the next batch continues
  std::chrono::milliseconds patience{2'000};  // after which a second peer is asked for the next batch
};

class RangePlan {
 public:
  struct Ask {
    uint64_t peer = 0;
    uint64_t first_slot = 0;
    uint64_t count = 0;
  };
  // Blocks that follow those returned before, all from one peer.
  struct Ready {
    uint64_t peer = 0;
    std::vector<SignedBlockPtr> blocks;
  };

  // Slots first <= slot <= last. With `only_peer`, no other peer is asked.
  RangePlan(uint64_t first, uint64_t last, std::optional<uint64_t> only_peer, const RangePlanOptions& options);

  // The requests to send now. `peers`: best first. `reserve` takes one of the requests that a peer may have open, and
  // returns false when it has none left.
  std::vector<Ask> Next(const std::vector<PeerInfo>& peers, const std::function<bool(uint64_t)>& reserve,
                        SteadyTime now);

  // The answer to Ask{peer, first_slot, ..}: blocks of the requested slots, ascending. An error means that they are not
  // a chain, and they are dropped. An answer that is no longer expected is ignored.
  absl::Status Answered(uint64_t peer, uint64_t first_slot, std::vector<SignedBlockPtr> blocks);
  // The request failed, or the answer was wrong: another peer is asked, and this one only after all others.
  void Failed(uint64_t peer, uint64_t first_slot);

  // The next blocks in order; nullopt: they have not arrived. Returns nothing more until Done or Refetch is called.
  std::optional<Ready> Take();
  void Done() { out_.reset(); }
  // The blocks were wrong: they, and everything else from their peer, are fetched from other peers.
  void Refetch();

  // The last slot may grow while the plan runs.
  void Extend(uint64_t last) { last_ = std::max(last_, last); }

  // Peers that answered a whole batch with no blocks, either because there are none or because they withhold them.
  const std::set<uint64_t>& silent_peers() const { return silent_peers_; }

  // The next blocks are not requested, and none of these peers claims to have them.
  bool IsStuck(const std::vector<PeerInfo>& peers) const;
  bool finished() const { return batches_.empty() && next_slot_ > last_ && !out_.has_value(); }
  uint64_t last() const { return last_; }
  std::optional<uint64_t> only_peer() const { return only_peer_; }
  // What was fetched and not returned.
  size_t blocks_held() const;
  size_t bytes_held() const { return bytes_held_; }
  // Number of slots whose blocks were returned.
  uint64_t slots_done() const { return (batches_.empty() ? next_slot_ : batches_.front().first) - first_; }

 private:
  // An answer may hold fewer blocks than requested, because its bytes are bounded. The slots after its last block are
  // requested again from the same peer, until it answers with no blocks.
  struct Batch {
    uint64_t first = 0;        // slots below were returned
    uint64_t next = 0;         // slots below were answered
    uint64_t end = 0;          // one after the last slot
    std::set<uint64_t> asked;  // peers whose answer is pending
    std::set<uint64_t> tried;  // peers that have failed
    SteadyTime asked_at;
    std::deque<Ready> answers;  // in order, none empty

    bool complete() const { return next >= end; }
  };

  struct Out {
    uint64_t peer = 0;
    uint64_t first_slot = 0;
  };

  void OpenBatches();
  bool CanServe(const PeerInfo& peer, const Batch& batch) const;
  Batch* FindBatch(uint64_t peer, uint64_t first_slot);
  // Forgets answers that were not returned.
  void Reset(Batch& batch);

  const RangePlanOptions options_;
  const uint64_t first_;
  uint64_t last_;
  const std::optional<uint64_t> only_peer_;
  uint64_t next_slot_;         // of the next batch
  std::deque<Batch> batches_;  // in order; the first is returned next
  std::optional<Out> out_;     // the blocks that were returned last, until Done or Refetch
  size_t bytes_held_ = 0;
  std::set<uint64_t> silent_peers_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SYNC_RANGE_RANGE_PLAN_H_
