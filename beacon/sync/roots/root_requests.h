// Blocks that are asked for by their root, since something waits for them. Pure.
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

#include "beacon/network/peers/peer_blocks.h"
#include "beacon/services/submit.h"
#include "common/bytes/bytes.h"
#include "common/clock/clock.h"

namespace lean::beacon {

struct RootRequestsOptions {
  size_t max_roots = 1024;
  size_t max_roots_per_origin = 128;  // so that one peer's orphans leave room for what others wait for
  // An orphan's ancestors are followed this far; farther is the range sync's.
  size_t max_depth = 32;
  size_t roots_per_request = 16;
  // Nothing is asked for longer, should the clock have been ahead when it was named.
  int64_t max_slots = 64;
  // When no peer had it, all are asked again after this.
  std::chrono::milliseconds pause{4'000};
};

// Who named a root is asked for it first, then the others, each once before the first is asked again, until it is here
// or nothing waits for it any more. Not to have it is no offence.
class RootRequests {
 public:
  struct Ask {
    uint64_t peer = 0;
    std::vector<Root> roots;
  };

  explicit RootRequests(const RootRequestsOptions& options) : options_(options) {}

  void Want(const WantedRoot& wanted);
  // It is in the chain, or waits itself: not to be asked for any more.
  void Resolve(const Root& root) { entries_.erase(root); }
  // Forgets what nothing waits for any more.
  void Expire(int64_t slot);

  // What to ask of whom now. `peers`: best first; may_ask: of further requests to one of them.
  std::vector<Ask> Next(const std::vector<PeerInfo>& peers, const std::function<bool(uint64_t)>& may_ask,
                        SteadyTime now);
  // Whoever was asked for it does not have it, or what came is no good: the next one's turn. A root for which that is
  // not said, is not asked for again: its block is here and waits for something itself.
  void Missed(const Root& root);

  bool Contains(const Root& root) const { return entries_.contains(root); }
  std::vector<Root> Roots() const;
  size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    Origin origin;                 // that it is charged to
    std::deque<uint64_t> sources;  // peers that named it
    std::set<uint64_t> asked;      // in this round
    bool open = false;             // an answer is waited for, or has come
    size_t depth = 0;
    int64_t expires_slot = 0;
    SteadyTime not_before;
  };

  // Whom to ask for it now, or null.
  const PeerInfo* Choose(const Entry& entry, const std::vector<PeerInfo>& peers,
                         const std::function<bool(uint64_t)>& may_ask) const;

  const RootRequestsOptions options_;
  std::map<Root, Entry> entries_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SYNC_ROOTS_ROOT_REQUESTS_H_
