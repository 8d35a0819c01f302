#include "beacon/sync/peer_book.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace lean::beacon {

void PeerBook::Update(std::vector<PeerInfo> peers, int64_t clock_slot, SteadyTime now) {
  linked_ = std::move(peers);
  std::map<uint64_t, Entry> entries;
  for (PeerInfo& peer : linked_) {
    const Entry& entry = entries[peer.id] = entries_[peer.id];
    peer.earliest_slot = std::max(peer.earliest_slot, entry.kept_from);
  }
  entries_ = std::move(entries);

  std::map<Root, int> finalized;
  std::map<Root, int> heads;
  std::vector<const PeerInfo*> believed;
  for (const PeerInfo& peer : linked_) {
    const bool possible = clock_slot >= -1 && peer.head.slot <= static_cast<uint64_t>(clock_slot + 1) &&
                          peer.finalized.slot <= peer.head.slot;
    if (!possible || now < entries_[peer.id].disbelieved_until) continue;
    ++finalized[peer.finalized.root];
    ++heads[peer.head.root];
    believed.push_back(&peer);
  }
  std::shuffle(believed.begin(), believed.end(), random_);
  const auto key = [&](const PeerInfo& peer) {
    const Entry& entry = entries_[peer.id];
    return std::tuple(-finalized[peer.finalized.root] - heads[peer.head.root], -peer.score, entry.open,
                      entry.latency_ms);
  };
  std::vector<std::pair<decltype(key(linked_[0])), const PeerInfo*>> ranked;
  ranked.reserve(believed.size());
  for (const PeerInfo* peer : believed) ranked.emplace_back(key(*peer), peer);
  std::stable_sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  believed_.clear();
  for (const auto& [rank, peer] : ranked) believed_.push_back(*peer);
}

const PeerInfo* PeerBook::Find(uint64_t peer) const {
  const auto found =
      std::find_if(linked_.begin(), linked_.end(), [peer](const PeerInfo& info) { return info.id == peer; });
  return found == linked_.end() ? nullptr : &*found;
}

bool PeerBook::MayAsk(uint64_t peer, SteadyTime now) const {
  const auto found = entries_.find(peer);
  return found != entries_.end() && now >= found->second.paused_until &&
         found->second.open < options_.requests_per_peer;
}

void PeerBook::Asked(uint64_t peer) { ++entries_[peer].open; }

void PeerBook::Answered(uint64_t peer, std::chrono::milliseconds took) {
  const auto found = entries_.find(peer);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  if (entry.open > 0) --entry.open;
  entry.latency_ms += (took.count() - entry.latency_ms) / 4;
}

void PeerBook::SetKeptFrom(uint64_t peer, uint64_t slot) {
  const auto found = entries_.find(peer);
  if (found != entries_.end()) found->second.kept_from = slot;
}

void PeerBook::Pause(uint64_t peer, SteadyTime now) {
  const auto found = entries_.find(peer);
  if (found != entries_.end()) found->second.paused_until = now + options_.pause;
}

void PeerBook::Disbelieve(uint64_t peer, SteadyTime now) {
  const auto found = entries_.find(peer);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  if (now < entry.disbelieved_until) return;  // requests that were open at the same time fail together
  const auto calm = (now - entry.disbelieved_until) / (options_.disbelief * (1 << options_.max_doublings));
  entry.strikes -= static_cast<int>(std::min<int64_t>(entry.strikes, calm));
  entry.disbelieved_until = now + options_.disbelief * (1 << std::min(entry.strikes, options_.max_doublings));
  ++entry.strikes;
  believed_.erase(
      std::remove_if(believed_.begin(), believed_.end(), [peer](const PeerInfo& info) { return info.id == peer; }),
      believed_.end());
}

}  // namespace lean::beacon
