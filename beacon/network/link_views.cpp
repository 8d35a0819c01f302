#include "beacon/network/link_views.h"

#include <memory>
#include <string>

#include "common/bytes/hex.h"

namespace lean::beacon {

PeerInfo InfoOf(const Link& link) {
  const PeerIdentity peer = link.peer();
  const std::shared_ptr<BlockAsker> asker = link.asker();
  return {.id = link.id(),
          .name = peer.name,
          .address = link.address(),
          .outbound = link.outbound(),
          .head = peer.chain.head,
          .finalized = peer.chain.finalized,
          .earliest_slot = peer.chain.earliest_slot,
          .synced = peer.chain.synced,
          .score = link.score(),
          .requests_open = asker == nullptr ? 0 : asker->open()};
}

PeerState StateOf(const Link& link) {
  const PeerIdentity peer = link.peer();
  return {.state = PeerState::kConnected,
          .address = link.address(),
          .outbound = link.outbound(),
          .id = link.id(),
          .node_id = ToHex(peer.node.span()),
          .name = peer.name,
          .version = peer.version,
          .head = peer.chain.head,
          .finalized = peer.chain.finalized,
          .synced = peer.chain.synced,
          .score = link.score(),
          .connected_since_ms = link.opened_ms(),
          .traffic = link.traffic(),
          .last_disconnect_reason = {},
          .last_disconnect_ms = 0};
}

std::optional<Goodbye> RefusalFor(PeerTable::Verdict verdict) {
  switch (verdict) {
    case PeerTable::Verdict::kAdmit:
      break;
    case PeerTable::Verdict::kSelf:
      return Goodbye{v1::PeerGoodbye::SELF, "this is the node itself"};
    case PeerTable::Verdict::kDuplicate:
      return Goodbye{v1::PeerGoodbye::DUPLICATE, "another link stands between us"};
    case PeerTable::Verdict::kTooMany:
      return Goodbye{v1::PeerGoodbye::TOO_MANY_PEERS, "no room for another link"};
    case PeerTable::Verdict::kBanned:
      return Goodbye{v1::PeerGoodbye::BANNED, "not linked to for a while"};
  }
  return std::nullopt;
}

DialEnd KindOf(const LinkEnd& end) {
  switch (end.goodbye.reason) {
    case v1::PeerGoodbye::WRONG_VERSION:
    case v1::PeerGoodbye::WRONG_NETWORK:
    case v1::PeerGoodbye::WRONG_GENESIS:
    case v1::PeerGoodbye::WRONG_SPEC:
      return DialEnd::kMismatch;
    case v1::PeerGoodbye::SELF:
      return end.by_us ? DialEnd::kSelf : DialEnd::kLost;
    case v1::PeerGoodbye::DUPLICATE:
      return DialEnd::kDuplicate;
    default:
      return DialEnd::kLost;
  }
}

std::string ReasonOf(const LinkEnd& end) {
  return end.goodbye.reason == v1::PeerGoodbye::REASON_UNSPECIFIED ? "BROKEN" : ReasonName(end.goodbye.reason);
}

void LogEnd(const Link& link, const LinkEnd& end, bool news, spdlog::logger& log) {
  const std::string reason = ReasonOf(end);
  const char* by = end.by_us ? "us" : "peer";
  if (link.opened_ms() != 0) {
    log.info("peer_disconnected id={} name={} address={} by={} reason={} message=\"{}\"", link.id(), link.peer().name,
             link.address(), by, reason, end.goodbye.message);
  } else if (end.goodbye.reason == v1::PeerGoodbye::DUPLICATE || !news) {
    // Two that dial one another find that out each time.
    log.debug("peer_refused address={} by={} reason={} message=\"{}\"", link.address(), by, reason,
              end.goodbye.message);
  } else if (end.goodbye.reason != v1::PeerGoodbye::REASON_UNSPECIFIED) {
    log.warn("peer_refused address={} by={} reason={} message=\"{}\"", link.address(), by, reason, end.goodbye.message);
  } else {
    log.info("peer_unreachable address={} message=\"{}\"", link.address(), end.goodbye.message);
  }
}

}  // namespace lean::beacon
