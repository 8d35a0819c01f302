// What sync remembers about peers: which ones it believes, and which ones it asks first. Pure; time is an argument.
#ifndef LEAN_BEACON_SYNC_PEER_BOOK_H_
#define LEAN_BEACON_SYNC_PEER_BOOK_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <vector>

#include "beacon/network/peers/peer_view.h"
#include "common/clock/clock.h"

namespace lean::beacon {

struct PeerBookOptions {
  size_t requests_per_peer = 2;
  // How long a peer is not believed after a false claim or a missing answer; doubled each further time. The longest
  // such time without another one takes back one doubling.
  std::chrono::milliseconds disbelief{32'000};
  int max_doublings = 5;
  // How long an overloaded peer is not asked.
  std::chrono::milliseconds pause{500};
};

class PeerBook {
 public:
  PeerBook(const PeerBookOptions& options, uint64_t seed) : options_(options), random_(seed) {}

  // Updates the peers; forgets those that have disconnected.
  void Update(std::vector<PeerInfo> peers, int64_t clock_slot, SteadyTime now);

  // The believed peers, best first: those whose finalized block and head most others share, then those with the better
  // score, fewer open requests and faster answers; equals in random order. A head more than one slot ahead of our clock
  // is not believed.
  const std::vector<PeerInfo>& believed() const { return believed_; }
  // All peers.
  const std::vector<PeerInfo>& linked() const { return linked_; }
  const PeerInfo* Find(uint64_t peer) const;

  // Whether the peer is connected, not overloaded, and below its bound of open requests.
  bool MayAsk(uint64_t peer, SteadyTime now) const;

  void Asked(uint64_t peer);
  void Answered(uint64_t peer, std::chrono::milliseconds took);
  // Records that the peer has no blocks below this slot.
  void SetKeptFrom(uint64_t peer, uint64_t slot);
  void Pause(uint64_t peer, SteadyTime now);
  // Stops believing the peer for a while. Has no effect while it is not believed.
  void Disbelieve(uint64_t peer, SteadyTime now);

 private:
  struct Entry {
    SteadyTime disbelieved_until;
    SteadyTime paused_until;
    int strikes = 0;
    size_t open = 0;
    int64_t latency_ms = 0;  // a moving average
    uint64_t kept_from = 0;
  };

  const PeerBookOptions options_;
  std::mt19937_64 random_;
  std::map<uint64_t, Entry> entries_;  // by id
  std::vector<PeerInfo> linked_;
  std::vector<PeerInfo> believed_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SYNC_PEER_BOOK_H_
