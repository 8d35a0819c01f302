// Which links may stand: one for each pair of beacons, not too many, none with who is banned.
#ifndef LEAN_BEACON_NETWORK_PEER_TABLE_H_
#define LEAN_BEACON_NETWORK_PEER_TABLE_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "beacon/network/peer_score.h"
#include "beacon/network/rate_limits.h"
#include "common/bytes/bytes.h"
#include "common/clock/clock.h"

namespace lean::beacon {

// Drawn at random by each process.
using NodeId = Bytes<16>;

// The host part of HOST:PORT, also as gRPC names the other end ("ipv4:127.0.0.1:4711", "ipv6:[::1]:4711"); all of a
// unix socket's.
std::string HostOf(absl::string_view peer);
bool IsLoopbackHost(absl::string_view host);

struct PeerTableLimits {
  size_t peers = 64;
  // Links that come in from one address; of this machine itself, where every node has the same one, more.
  size_t inbound_per_host = 8;
  size_t inbound_from_loopback = 32;
  // Of these, links in their handshake; and new streams, and new connections, with time.
  size_t handshakes_per_host = 8;
  Rate arrivals_per_host{.burst = 64, .per_second = 2};
};

// A rate for each of many hosts. Bounded: with too many it forgets all. Thread compatible.
class HostRates {
 public:
  explicit HostRates(const Rate& rate) : rate_(rate) {}

  bool TryTake(const std::string& host, SteadyTime now);

 private:
  const Rate rate_;
  std::map<std::string, TokenBucket> hosts_;
};

// Thread compatible.
class PeerTable {
 public:
  enum class Verdict { kAdmit, kSelf, kDuplicate, kTooMany, kBanned };

  struct Candidate {
    uint64_t link = 0;
    NodeId node;
    bool outbound = false;
    std::string host;
  };
  struct Decision {
    Verdict verdict = Verdict::kAdmit;
    // With kAdmit: the link that this one stands in for, to be ended as a duplicate.
    std::optional<uint64_t> replaced;
  };

  PeerTable(const NodeId& own, const PeerTableLimits& limits)
      : own_(own), limits_(limits), connections_(limits.arrivals_per_host), streams_(limits.arrivals_per_host) {}

  // Whether one more connection, or stream, may come in from there, before anything is known of who it is.
  bool MayConnect(const std::string& host, SteadyTime now) { return connections_.TryTake(host, now); }
  bool MayArrive(const std::string& host, SteadyTime now) { return streams_.TryTake(host, now); }

  // Enters the link with kAdmit. Of two links between the same two beacons the one stays whose dialler has the lower
  // id, of two with the same dialler the older: both ends decide alike.
  Decision Admit(const Candidate& candidate, SteadyTime now);
  // A link that was admitted has ended. Unknown ones are ignored.
  void Remove(uint64_t link);

  bool Linked(const NodeId& node) const { return by_node_.contains(node); }
  size_t size() const { return links_.size(); }

  // An address of this machine is not banned, since all its nodes share it: only the node id is.
  BanList::Duration Ban(const NodeId& node, const std::string& host, SteadyTime now);
  std::optional<BanList::Duration> BanLeft(const NodeId* node, const std::string& host, SteadyTime now) const;

  // The score that a link begins with, and what it ended with; of addresses likewise. Who is banned has it behind him
  // when the ban is over.
  double ScoreOf(const NodeId& node, const std::string& host, SteadyTime now) const;
  void Remember(const NodeId& node, const std::string& host, double score, SteadyTime now);

 private:
  bool StaysAgainst(const Candidate& candidate, const Candidate& standing) const;
  size_t InboundFrom(const std::string& host) const;

  const NodeId own_;
  const PeerTableLimits limits_;
  std::map<uint64_t, Candidate> links_;
  std::map<NodeId, uint64_t> by_node_;
  HostRates connections_;
  HostRates streams_;
  BanList bans_;
  Reputation reputation_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_PEER_TABLE_H_
