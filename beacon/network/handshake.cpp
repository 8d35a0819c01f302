#include "beacon/network/handshake.h"

#include "absl/strings/str_cat.h"
#include "common/bytes/hex.h"
#include "common/config/plain_name.h"
#include "common/crypto/sha256.h"
#include "common/log/log_text.h"
#include "common/rpc/convert.h"

namespace lean::beacon {
namespace {

constexpr size_t kMaxVersionBytes = 64;
constexpr size_t kMaxGoodbyeBytes = 256;

Goodbye Malformed(absl::string_view message) { return {v1::PeerGoodbye::MALFORMED, absl::StrCat("status: ", message)}; }

absl::StatusOr<Checkpoint> RequiredCheckpoint(bool present, const v1::Checkpoint& message, absl::string_view field) {
  if (!present) return absl::InvalidArgumentError(absl::StrCat(field, ": missing"));
  return rpc::FromProto(message);
}

}  // namespace

Root SpecDigest(const NetworkSpec& spec) {
  const std::string text = absl::StrCat(spec.name, " ", spec.slot_duration_ms, " ", spec.xmss_log_lifetime, " ",
                                        SignatureFormName(spec.signature_form));
  return crypto::Sha256({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

std::string SpecText(const NetworkSpec& spec) {
  return absl::StrCat("slots of ", spec.slot_duration_ms, " ms, keys of lifetime 2^", spec.xmss_log_lifetime,
                      ", signatures of form ", SignatureFormName(spec.signature_form));
}

v1::PeerChain ToProto(const PeerChain& chain) {
  v1::PeerChain message;
  *message.mutable_head() = rpc::ToProto(chain.head);
  *message.mutable_finalized() = rpc::ToProto(chain.finalized);
  message.set_earliest_slot(chain.earliest_slot);
  message.set_synced(chain.synced);
  return message;
}

absl::StatusOr<PeerChain> PeerChainFromProto(const v1::PeerChain& message) {
  const auto head = RequiredCheckpoint(message.has_head(), message.head(), "head");
  if (!head.ok()) return head.status();
  const auto finalized = RequiredCheckpoint(message.has_finalized(), message.finalized(), "finalized");
  if (!finalized.ok()) return finalized.status();
  return PeerChain{
      .head = *head, .finalized = *finalized, .earliest_slot = message.earliest_slot(), .synced = message.synced()};
}

v1::PeerStatus MakeStatus(const Identity& own, const PeerChain& chain, const SessionId& session) {
  v1::PeerStatus status;
  status.set_protocol_version(kPeerProtocolVersion);
  status.set_network(own.network);
  status.set_genesis_root(rpc::BytesToProto(own.genesis_root));
  status.set_spec_digest(rpc::BytesToProto(own.spec_digest));
  status.set_node_id(rpc::BytesToProto(own.node));
  status.set_node_name(own.name);
  status.set_node_version(own.version);
  *status.mutable_chain() = ToProto(chain);
  if (!session.IsZero()) status.set_session(rpc::BytesToProto(session));
  return status;
}

std::variant<PeerIdentity, Goodbye> CheckStatus(const Identity& own, const v1::PeerStatus& status, bool from_listener) {
  if (status.protocol_version() != kPeerProtocolVersion) {
    return Goodbye{v1::PeerGoodbye::WRONG_VERSION,
                   absl::StrCat("protocol version ", status.protocol_version(), ", expected ", kPeerProtocolVersion)};
  }
  if (status.network() != own.network) {
    return Goodbye{v1::PeerGoodbye::WRONG_NETWORK,
                   absl::StrCat("network ", Printable(status.network(), 64), ", expected ", own.network)};
  }
  const auto genesis = rpc::FixedBytesFromProto<Root>(status.genesis_root(), "genesis_root");
  if (!genesis.ok()) return Malformed(genesis.status().message());
  if (*genesis != own.genesis_root) {
    return Goodbye{v1::PeerGoodbye::WRONG_GENESIS, absl::StrCat("genesis root ", ToHex(genesis->span()), ", expected ",
                                                                ToHex(own.genesis_root.span()))};
  }
  const auto spec = rpc::FixedBytesFromProto<Root>(status.spec_digest(), "spec_digest");
  if (!spec.ok()) return Malformed(spec.status().message());
  if (*spec != own.spec_digest) {
    return Goodbye{v1::PeerGoodbye::WRONG_SPEC,
                   absl::StrCat(own.name, " has ", own.spec_text,
                                ", the other node has not: give both the same network.yaml and start them anew")};
  }
  const auto node = rpc::FixedBytesFromProto<NodeId>(status.node_id(), "node_id");
  if (!node.ok()) return Malformed(node.status().message());
  if (!IsPlainName(status.node_name())) return Malformed("node_name: 1 to 64 letters, digits, '-', '_' or '.'");
  const auto chain = PeerChainFromProto(status.chain());
  if (!chain.ok()) return Malformed(absl::StrCat("chain.", chain.status().message()));
  PeerIdentity peer{.node = *node,
                    .name = status.node_name(),
                    .version = Printable(status.node_version(), kMaxVersionBytes),
                    .chain = *chain,
                    .session = {}};
  if (from_listener) {
    const auto session = rpc::FixedBytesFromProto<SessionId>(status.session(), "session");
    if (!session.ok()) return Malformed(session.status().message());
    peer.session = *session;
  }
  return peer;
}

v1::GossipMessage MakeGoodbye(const Goodbye& goodbye) {
  v1::GossipMessage message;
  message.mutable_goodbye()->set_reason(goodbye.reason);
  message.mutable_goodbye()->set_message(goodbye.message);
  return message;
}

v1::PeerGoodbye::Reason ReasonFor(Offence offence) {
  switch (offence) {
    case Offence::kMalformed:
      return v1::PeerGoodbye::MALFORMED;
    case Offence::kTooMuch:
      return v1::PeerGoodbye::TOO_MUCH;
    default:
      return v1::PeerGoodbye::INVALID;
  }
}

Goodbye GoodbyeFromProto(const v1::PeerGoodbye& message) {
  return {message.reason(), Printable(message.message(), kMaxGoodbyeBytes)};
}

std::string ReasonName(v1::PeerGoodbye::Reason reason) {
  const std::string& name = v1::PeerGoodbye::Reason_Name(reason);
  return name.empty() ? absl::StrCat(static_cast<int>(reason)) : name;
}

}  // namespace lean::beacon
