// The first message on a link: who the other end is, and whether it is of our network.
#ifndef LEAN_BEACON_NETWORK_HANDSHAKE_H_
#define LEAN_BEACON_NETWORK_HANDSHAKE_H_

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "beacon/network/peer_blocks.h"
#include "beacon/network/peer_table.h"
#include "common/bytes/bytes.h"
#include "common/config/network_spec.h"
#include "common/containers/checkpoint.h"
#include "lean/v1/peer.pb.h"

namespace lean::beacon {

inline constexpr uint32_t kPeerProtocolVersion = 1;

// Names a link in the calls beside it; drawn at random by the listener, so that nobody else knows it.
using SessionId = Bytes<16>;

// One that nobody has, by the system's randomness.
template <typename Id>
Id DrawId() {
  std::random_device device;
  Id id;
  std::generate(id.data.begin(), id.data.end(), [&device] { return static_cast<uint8_t>(device()); });
  return id;
}

// What both ends must have in common, and what tells them apart.
struct Identity {
  std::string network;
  Root genesis_root;
  Root spec_digest;
  NodeId node;
  std::string name;
  std::string version;
  std::string spec_text = {};  // what spec_digest is of, for people (SpecText)
};

// How far a chain is, as its beacon says.
struct PeerChain {
  Checkpoint head;
  Checkpoint finalized;
  uint64_t earliest_slot = 0;
  bool synced = false;

  friend bool operator==(const PeerChain&, const PeerChain&) = default;
};

// What a peer said of itself.
struct PeerIdentity {
  NodeId node;
  std::string name;
  std::string version;
  PeerChain chain;
  SessionId session;  // zero when the peer dialled
};

// Why a link ends, as it is said to the other end.
struct Goodbye {
  v1::PeerGoodbye::Reason reason = v1::PeerGoodbye::REASON_UNSPECIFIED;
  std::string message;
};

// SHA-256 of what peer.proto says of spec_digest.
Root SpecDigest(const NetworkSpec& spec);
// "slots of 4000 ms, keys of lifetime 2^32, signatures of form flat".
std::string SpecText(const NetworkSpec& spec);

v1::PeerChain ToProto(const PeerChain& chain);
// InvalidArgument names the field.
absl::StatusOr<PeerChain> PeerChainFromProto(const v1::PeerChain& message);

// `session` is zero for the dialler.
v1::PeerStatus MakeStatus(const Identity& own, const PeerChain& chain, const SessionId& session);

// The peer, or why there will be no link: MALFORMED, or WRONG_VERSION, WRONG_NETWORK, WRONG_GENESIS, WRONG_SPEC, the
// first that does not fit. `from_listener`: the status must name a session.
std::variant<PeerIdentity, Goodbye> CheckStatus(const Identity& own, const v1::PeerStatus& status, bool from_listener);

v1::GossipMessage MakeGoodbye(const Goodbye& goodbye);
// The reason that a link ends with for what its peer did.
v1::PeerGoodbye::Reason ReasonFor(Offence offence);

// A goodbye as the peer sent it, fit for a log: bounded, without control characters.
Goodbye GoodbyeFromProto(const v1::PeerGoodbye& message);

// "WRONG_GENESIS"; a number for one that we do not know.
std::string ReasonName(v1::PeerGoodbye::Reason reason);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_HANDSHAKE_H_
