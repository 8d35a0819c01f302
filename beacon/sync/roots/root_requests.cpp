#include "beacon/sync/roots/root_requests.h"

#include <algorithm>
#include <utility>

namespace lean::beacon {

void RootRequests::Want(const WantedRoot& wanted) {
  auto found = entries_.find(wanted.root);
  if (found == entries_.end()) {
    // An ancestor of a block that was asked for itself.
    const auto child = entries_.find(wanted.wanted_by);
    const size_t depth = child == entries_.end() ? 0 : child->second.depth + 1;
    const auto of_origin = std::count_if(entries_.begin(), entries_.end(),
                                         [&](const auto& entry) { return entry.second.origin == wanted.origin; });
    if (depth > options_.max_depth || entries_.size() >= options_.max_roots ||
        static_cast<size_t>(of_origin) >= options_.max_roots_per_origin) {
      return;
    }
    found = entries_.try_emplace(wanted.root).first;
    found->second.origin = wanted.origin;
    found->second.depth = depth;
  }
  Entry& entry = found->second;
  entry.expires_slot = std::max(entry.expires_slot, wanted.expires_slot);
  const bool known_source =
      std::find(entry.sources.begin(), entry.sources.end(), wanted.origin.peer) != entry.sources.end();
  if (wanted.origin.kind == Origin::kPeer && !known_source) entry.sources.push_back(wanted.origin.peer);
}

void RootRequests::Expire(int64_t slot) {
  std::erase_if(entries_, [slot](const auto& entry) { return slot >= entry.second.expires_slot; });
  for (auto& [root, entry] : entries_) entry.expires_slot = std::min(entry.expires_slot, slot + options_.max_slots);
}

const PeerInfo* RootRequests::Choose(const Entry& entry, const std::vector<PeerInfo>& peers,
                                     const std::function<bool(uint64_t)>& may_ask) const {
  const auto may = [&](const PeerInfo& peer) { return !entry.asked.contains(peer.id) && may_ask(peer.id); };
  for (const uint64_t source : entry.sources) {
    const auto peer =
        std::find_if(peers.begin(), peers.end(), [&](const PeerInfo& info) { return info.id == source && may(info); });
    if (peer != peers.end()) return &*peer;
  }
  const auto peer = std::find_if(peers.begin(), peers.end(), may);
  return peer == peers.end() ? nullptr : &*peer;
}

std::vector<RootRequests::Ask> RootRequests::Next(const std::vector<PeerInfo>& peers,
                                                  const std::function<bool(uint64_t)>& may_ask, SteadyTime now) {
  std::vector<Ask> asks;
  for (auto& [root, entry] : entries_) {
    if (entry.open || now < entry.not_before) continue;
    // One request to a peer at a time, with all that it is to be asked for.
    const PeerInfo* peer = Choose(entry, peers, may_ask);
    if (peer == nullptr) {
      const bool all_asked = std::all_of(
          peers.begin(), peers.end(), [&asked = entry.asked](const PeerInfo& info) { return asked.contains(info.id); });
      if (all_asked && !peers.empty()) {
        entry.asked.clear();
        entry.not_before = now + options_.pause;
      }
      continue;
    }
    auto ask = std::find_if(asks.begin(), asks.end(), [&](const Ask& other) {
      return other.peer == peer->id && other.roots.size() < options_.roots_per_request;
    });
    if (ask == asks.end()) ask = asks.insert(asks.end(), Ask{.peer = peer->id, .roots = {}});
    ask->roots.push_back(root);
    entry.open = true;
    entry.asked.insert(peer->id);
  }
  return asks;
}

void RootRequests::Missed(const Root& root) {
  const auto found = entries_.find(root);
  if (found != entries_.end()) found->second.open = false;
}

std::vector<Root> RootRequests::Roots() const {
  std::vector<Root> roots;
  for (const auto& [root, entry] : entries_) roots.push_back(root);
  return roots;
}

}  // namespace lean::beacon
