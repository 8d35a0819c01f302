// How RPC sees the peers.
#ifndef LEAN_BEACON_NETWORK_PEERS_PEER_LIST_H_
#define LEAN_BEACON_NETWORK_PEERS_PEER_LIST_H_

#include <cstddef>

#include "lean/v1/beacon.pb.h"

namespace lean::beacon {

// Peers and the network for people. Thread-safe.
class PeerList {
 public:
  virtual ~PeerList() = default;

  // Connected peers first, then configured peers that are not connected.
  virtual v1::GetPeersResponse PeerViews() const = 0;
  // Connected peers.
  virtual size_t peer_count() const = 0;
  virtual v1::NetworkView View() const = 0;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_PEERS_PEER_LIST_H_
