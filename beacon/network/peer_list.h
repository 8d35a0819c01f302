// The peers of this beacon, for people.
#ifndef LEAN_BEACON_NETWORK_PEER_LIST_H_
#define LEAN_BEACON_NETWORK_PEER_LIST_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "common/containers/checkpoint.h"

namespace lean::beacon {

struct Traffic {
  uint64_t bytes_in = 0;  // of gossip's payloads
  uint64_t bytes_out = 0;
  uint64_t blocks_in = 0;
  uint64_t blocks_out = 0;
  uint64_t votes_in = 0;
  uint64_t votes_out = 0;
  uint64_t requests_in = 0;
  uint64_t requests_out = 0;
  uint64_t dropped_out = 0;  // votes

  Traffic& operator+=(const Traffic& other) {
    bytes_in += other.bytes_in;
    bytes_out += other.bytes_out;
    blocks_in += other.blocks_in;
    blocks_out += other.blocks_out;
    votes_in += other.votes_in;
    votes_out += other.votes_out;
    requests_in += other.requests_in;
    requests_out += other.requests_out;
    dropped_out += other.dropped_out;
    return *this;
  }
};

// A linked peer, or one that was configured and is not linked; of the latter the fields of the link are empty.
struct PeerState {
  enum State { kConnected, kConnecting, kWaiting, kBanned, kRefused };

  State state = kWaiting;
  std::string address;
  bool outbound = false;
  uint64_t id = 0;
  std::string node_id;  // hex, or as libp2p writes it
  std::string name;
  std::string version;
  Checkpoint head;
  Checkpoint finalized;
  bool synced = false;
  double score = 0;
  int64_t connected_since_ms = 0;  // Unix milliseconds
  Traffic traffic;
  std::string last_disconnect_reason;
  int64_t last_disconnect_ms = 0;  // Unix milliseconds

  // What a network engine tells of it.
  struct Gossip {
    double score = 0;  // gossipsub's
    bool in_block_mesh = false;
    bool in_vote_mesh = false;
    uint64_t accepted = 0;  // its items, by verdict
    uint64_t ignored = 0;
    uint64_t rejected = 0;
  };
  Gossip gossip = {};
};

// Thread-safe.
class PeerList {
 public:
  virtual ~PeerList() = default;

  // The linked ones first.
  virtual std::vector<PeerState> PeerStates() const = 0;
  virtual size_t linked_peers() const = 0;
  // Of this process, or its network engine; and where that serves peers, empty when it only dials.
  virtual std::string node_id() const = 0;
  virtual std::string peer_address() const = 0;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_PEER_LIST_H_
