// The network, for people.
#ifndef LEAN_BEACON_NETWORK_PEERS_PEER_LIST_H_
#define LEAN_BEACON_NETWORK_PEERS_PEER_LIST_H_

#include <cstddef>

#include "lean/v1/beacon.pb.h"

namespace lean::beacon {

// Thread-safe.
class PeerList {
 public:
  virtual ~PeerList() = default;

  // The connected ones first, then those that the engine is told to be connected to and is not.
  virtual v1::GetPeersResponse PeerViews() const = 0;
  // Connected ones.
  virtual size_t peer_count() const = 0;
  virtual v1::NetworkView View() const = 0;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_PEERS_PEER_LIST_H_
