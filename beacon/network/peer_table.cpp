#include "beacon/network/peer_table.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "common/bytes/hex.h"

namespace lean::beacon {
namespace {

constexpr size_t kHostsRemembered = 4096;

std::string NodeText(const NodeId& node) { return ToHex(node.span()); }

}  // namespace

std::string HostOf(absl::string_view peer) {
  if (absl::StartsWith(peer, "unix:")) return std::string(peer);
  if (!absl::ConsumePrefix(&peer, "ipv4:")) absl::ConsumePrefix(&peer, "ipv6:");
  peer = peer.substr(0, peer.rfind(':'));
  if (absl::ConsumePrefix(&peer, "[") || absl::ConsumePrefix(&peer, "%5B")) {
    if (!absl::ConsumeSuffix(&peer, "]")) absl::ConsumeSuffix(&peer, "%5D");
  }
  absl::ConsumePrefix(&peer, "::ffff:");  // an IPv4 address on a socket of both families
  return std::string(peer);
}

bool IsLoopbackHost(absl::string_view host) {
  return host == "::1" || host == "localhost" || absl::StartsWith(host, "127.") || absl::StartsWith(host, "unix:");
}

bool HostRates::TryTake(const std::string& host, SteadyTime now) {
  if (hosts_.size() >= kHostsRemembered && !hosts_.contains(host)) hosts_.clear();
  return hosts_.try_emplace(host, rate_, now).first->second.TryTake(1, now);
}

PeerTable::Decision PeerTable::Admit(const Candidate& candidate, SteadyTime now) {
  if (candidate.node == own_) return {.verdict = Verdict::kSelf, .replaced = {}};
  if (BanLeft(&candidate.node, candidate.host, now).has_value()) return {.verdict = Verdict::kBanned, .replaced = {}};
  std::optional<uint64_t> replaced;
  if (const auto standing = by_node_.find(candidate.node); standing != by_node_.end()) {
    if (!StaysAgainst(candidate, links_.at(standing->second))) return {.verdict = Verdict::kDuplicate, .replaced = {}};
    replaced = standing->second;
    Remove(*replaced);
  } else {
    const size_t from_host = IsLoopbackHost(candidate.host) ? limits_.inbound_from_loopback : limits_.inbound_per_host;
    if (links_.size() >= limits_.peers || (!candidate.outbound && InboundFrom(candidate.host) >= from_host)) {
      return {.verdict = Verdict::kTooMany, .replaced = {}};
    }
  }
  links_.emplace(candidate.link, candidate);
  by_node_.emplace(candidate.node, candidate.link);
  return {.verdict = Verdict::kAdmit, .replaced = replaced};
}

void PeerTable::Remove(uint64_t link) {
  const auto found = links_.find(link);
  if (found == links_.end()) return;
  by_node_.erase(found->second.node);
  links_.erase(found);
}

bool PeerTable::StaysAgainst(const Candidate& candidate, const Candidate& standing) const {
  if (candidate.outbound == standing.outbound) return false;
  const bool own_dial_stays = own_ < candidate.node;
  return candidate.outbound == own_dial_stays;
}

size_t PeerTable::InboundFrom(const std::string& host) const {
  return static_cast<size_t>(std::count_if(links_.begin(), links_.end(), [&](const auto& entry) {
    return !entry.second.outbound && entry.second.host == host;
  }));
}

BanList::Duration PeerTable::Ban(const NodeId& node, const std::string& host, SteadyTime now) {
  const BanList::Duration duration = bans_.Ban(NodeText(node), now);
  return IsLoopbackHost(host) ? duration : std::max(duration, bans_.Ban(host, now));
}

double PeerTable::ScoreOf(const NodeId& node, const std::string& host, SteadyTime now) const {
  return std::min(reputation_.Of(NodeText(node), now), reputation_.Of(host, now));
}

void PeerTable::Remember(const NodeId& node, const std::string& host, double score, SteadyTime now) {
  if (BanLeft(&node, host, now).has_value()) return;
  reputation_.Remember(NodeText(node), score, now);
  if (!IsLoopbackHost(host)) reputation_.Remember(host, score, now);
}

std::optional<BanList::Duration> PeerTable::BanLeft(const NodeId* node, const std::string& host, SteadyTime now) const {
  if (const auto left = bans_.Left(host, now)) return left;
  return node == nullptr ? std::nullopt : bans_.Left(NodeText(*node), now);
}

}  // namespace lean::beacon
