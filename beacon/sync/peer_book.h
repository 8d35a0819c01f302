// What sync remembers of peers: whom it believes, and whom it asks first. Pure; time comes in as an argument.
#ifndef LEAN_BEACON_SYNC_PEER_BOOK_H_
#define LEAN_BEACON_SYNC_PEER_BOOK_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <vector>

#include "beacon/network/peers/peer_blocks.h"
#include "common/clock/clock.h"

namespace lean::beacon {

struct PeerBookOptions {
  size_t requests_per_peer = 2;
  // How long a peer is not believed after it was found out or did not answer: doubled with each further time.
  std::chrono::milliseconds disbelief{32'000};
  int max_doublings = 5;
  // How long a peer that is asked too much is left alone.
  std::chrono::milliseconds pause{500};
};

class PeerBook {
 public:
  PeerBook(const PeerBookOptions& options, uint64_t seed) : options_(options), random_(seed) {}

  // Takes the peers as they are now; forgets those that are gone.
  void Update(std::vector<PeerInfo> peers, int64_t clock_slot, SteadyTime now);

  // The believed ones, best first: those whom most others agree with on what is finalized and what is the head, then
  // the better score, the fewer open requests, the faster answers; among equals at random. Claims that lie in the
  // future are not believed: a peer's head may be one slot ahead of our clock.
  const std::vector<PeerInfo>& believed() const { return believed_; }
  // All of them.
  const std::vector<PeerInfo>& linked() const { return linked_; }
  const PeerInfo* Find(uint64_t peer) const;

  // Linked, not left alone, and not asked too much at once.
  bool MayAsk(uint64_t peer, SteadyTime now) const;

  void Asked(uint64_t peer);
  void Answered(uint64_t peer, std::chrono::milliseconds took);
  // It turned out to have no blocks below this slot, whatever it says.
  void SetKeptFrom(uint64_t peer, uint64_t slot);
  void Pause(uint64_t peer, SteadyTime now);
  // It is not believed for a while.
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
  std::map<uint64_t, Entry> entries_;  // of linked_
  std::vector<PeerInfo> linked_;
  std::vector<PeerInfo> believed_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SYNC_PEER_BOOK_H_
