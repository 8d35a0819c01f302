// What the server of peers asks the network.
#ifndef LEAN_BEACON_NETWORK_PEER_ACCEPTOR_H_
#define LEAN_BEACON_NETWORK_PEER_ACCEPTOR_H_

#include <string>

#include "beacon/network/link.h"

namespace lean::beacon {

// Thread-safe; outlives the server.
class PeerAcceptor {
 public:
  virtual ~PeerAcceptor() = default;

  // A link for a stream that came in from `peer`, as gRPC names it; null when it may not.
  virtual LinkPtr Accept(const std::string& peer) = 0;
  // The link that a session names; null when there is none.
  virtual LinkPtr LinkOf(const SessionId& session) = 0;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_PEER_ACCEPTOR_H_
