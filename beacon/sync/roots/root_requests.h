// Blocks that items wait for: which roots to request from which peer, and fetching them.
#ifndef LEAN_BEACON_SYNC_ROOTS_ROOT_REQUESTS_H_
#define LEAN_BEACON_SYNC_ROOTS_ROOT_REQUESTS_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <vector>

#include "absl/status/statusor.h"
#include "beacon/network/peers/peer_view.h"
#include "beacon/services/submit.h"
#include "beacon/sync/sync_context.h"
#include "common/bytes/bytes.h"
#include "common/clock/clock.h"

namespace lean::beacon {

struct RootRequestsOptions {
  size_t max_roots = 1024;
  size_t max_roots_per_origin = 128;  // so that one peer's orphans cannot fill the table
  // The ancestors of an orphan are followed this far; range sync fetches longer gaps.
  size_t max_depth = 32;
  size_t roots_per_request = 16;
  // The longest time that a root is requested, in case the clock was ahead when the root was named.
  int64_t max_slots = 64;
  // When no peer has the block, all are asked again after this time.
  std::chrono::milliseconds pause{4'000};
};

// The peers that named a root are asked first, then the others, each once per round, until the block arrives or no item
// waits for it. Not having the block is no offence.
class RootRequests {
 public:
  struct Ask {
    uint64_t peer = 0;
    std::vector<Root> roots;
  };

  explicit RootRequests(const RootRequestsOptions& options) : options_(options) {}

  void Want(const WantedRoot& wanted);
  // The block is in the chain or waits itself: it is not requested any more.
  void Resolve(const Root& root) { entries_.erase(root); }
  // Forgets roots that no item waits for any more.
  void Expire(int64_t slot);

  // The requests to send now, at most one to each peer. `peers`: best first. `may_ask`: whether a peer may have one
  // more open request.
  std::vector<Ask> Next(const std::vector<PeerInfo>& peers, const std::function<bool(uint64_t)>& may_ask,
                        SteadyTime now);
  // The peer does not have the block, or its answer was wrong: the next peer is asked.
  void Missed(const Root& root);
  // The block has arrived, and waits for another one. It is requested again if it is wanted once more, because that
  // happens only when it does not wait any more.
  void Waits(const Root& root);

  bool Contains(const Root& root) const { return entries_.contains(root); }
  std::vector<Root> Roots() const;
  size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    Origin origin;                 // whose bound it counts against
    std::deque<uint64_t> sources;  // peers that named it
    std::set<uint64_t> asked;      // in the current round
    bool open = false;             // a request is open or answered
    bool waits = false;            // its block has arrived and waits
    size_t depth = 0;
    int64_t expires_slot = 0;
    SteadyTime not_before;
  };

  // The peer to ask now; null: none.
  const PeerInfo* Choose(const Entry& entry, const std::vector<PeerInfo>& peers,
                         const std::function<bool(uint64_t)>& may_ask) const;

  const RootRequestsOptions options_;
  std::map<Root, Entry> entries_;
};

class RootSync {
 public:
  RootSync(const SyncContext& context, const RootRequestsOptions& options) : context_(context), requests_(options) {}

  void Want(const WantedRoot& wanted) { requests_.Want(wanted); }
  // Sends the requests that are due.
  void Update(SteadyTime now);
  size_t size() const { return requests_.size(); }

 private:
  void Send(RootRequests::Ask ask, SteadyTime now);
  void OnAnswer(uint64_t peer, const std::vector<Root>& asked, SteadyTime sent,
                absl::StatusOr<std::vector<SignedBlockPtr>> answer);
  void OnOutcomes(uint64_t peer, const std::vector<SubmitOutcome>& outcomes, const std::vector<Root>& roots);

  const SyncContext context_;
  RootRequests requests_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SYNC_ROOTS_ROOT_REQUESTS_H_
