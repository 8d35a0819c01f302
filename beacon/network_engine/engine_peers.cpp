#include "beacon/network_engine/engine_peers.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log/log_text.h"

namespace lean::beacon {
namespace {

constexpr size_t kMaxTargets = 256;
constexpr size_t kMaxReasonBytes = 256;

// A peer on another chain is met again after it.
constexpr std::chrono::seconds kOtherChainBan{60};

Traffic TrafficOf(const EnginePeer& peer) {
  return {.bytes_in = 0,
          .bytes_out = 0,
          .blocks_in = peer.blocks_in,
          .blocks_out = 0,
          .votes_in = peer.votes_in,
          .votes_out = 0,
          .requests_in = peer.requests_in,
          .requests_out = peer.requests_out,
          .dropped_out = 0};
}

PeerState StateOf(const v1::TargetReport& target) {
  PeerState state;
  state.state = target.retry_ms() == 0 ? PeerState::kConnecting : PeerState::kWaiting;
  state.address = Printable(target.address(), kMaxReasonBytes);
  state.outbound = true;
  state.node_id = Printable(target.peer_id(), kMaxReasonBytes);
  state.last_disconnect_reason = Printable(target.failure(), kMaxReasonBytes);
  return state;
}

}  // namespace

void EnginePeers::Reset(uint64_t stream) {
  const SteadyTime now = clock_.Steady();
  std::lock_guard lock(mutex_);
  for (const auto& [handle, entry] : entries_) ForgetLocked(entry, now);
  entries_.clear();
  targets_.clear();
  stream_ = stream;
  last_handle_ = 0;
}

absl::Status EnginePeers::Add(const NamedPeer& named) {
  const SteadyTime now = clock_.Steady();
  EnginePeerPtr peer;
  std::optional<BanList::Duration> banned;
  {
    std::lock_guard lock(mutex_);
    if (named.handle <= last_handle_) {
      return absl::InvalidArgumentError(absl::StrCat("connected.peer: ", named.handle, " after ", last_handle_));
    }
    last_handle_ = named.handle;
    peer = std::make_shared<EnginePeer>(++last_id_, stream_, named, rates_, now, clock_.WallMs());
    Entry& entry = entries_[named.handle];
    entry.peer = peer;
    entry.chain = named.chain;
    entry.serves_range = named.serves_range;
    entry.score.LowerTo(reputation_.Of(named.peer_id, now), now);
    banned = bans_list_.Left(named.peer_id, now);
  }
  log_->info("peer_connected id={} name=\"{}\" address={} direction={} node={} head_slot={} finalized_slot={}",
             peer->id, named.agent, named.address, named.outbound ? "out" : "in", named.peer_id, named.chain.head.slot,
             named.chain.finalized.slot);
  // An engine that was started again does not know of bans.
  if (banned.has_value()) End(*peer, std::chrono::ceil<std::chrono::seconds>(*banned), "not linked to for a while");
  return absl::OkStatus();
}

absl::Status EnginePeers::Update(uint64_t handle, const ClaimedChain& chain) {
  std::lock_guard lock(mutex_);
  if (absl::Status status = CheckHandleLocked(handle); !status.ok()) return status;
  if (Entry* entry = EntryLocked(handle)) entry->chain = chain;
  return absl::OkStatus();
}

absl::StatusOr<EnginePeerPtr> EnginePeers::Remove(uint64_t handle, absl::string_view reason) {
  EnginePeerPtr peer;
  {
    std::lock_guard lock(mutex_);
    if (absl::Status status = CheckHandleLocked(handle); !status.ok()) return status;
    const auto found = entries_.find(handle);
    if (found == entries_.end()) return nullptr;
    peer = found->second.peer;
    ForgetLocked(found->second, clock_.Steady());
    entries_.erase(found);
  }
  log_->info("peer_disconnected id={} name=\"{}\" address={} message=\"{}\"", peer->id, peer->named.agent,
             peer->named.address, Printable(reason, kMaxReasonBytes));
  return peer;
}

void EnginePeers::Report(const v1::EngineReport& report) {
  std::lock_guard lock(mutex_);
  for (const v1::PeerReport& peer : report.peers()) {
    if (Entry* entry = EntryLocked(peer.peer())) entry->report = peer;  // it may have gone meanwhile
  }
  const auto count = std::min<std::ptrdiff_t>(report.targets_size(), kMaxTargets);
  targets_.assign(report.targets().begin(), report.targets().begin() + count);
}

absl::StatusOr<EnginePeerPtr> EnginePeers::OfHandle(uint64_t handle) const {
  std::lock_guard lock(mutex_);
  if (absl::Status status = CheckHandleLocked(handle); !status.ok()) return status;
  const auto found = entries_.find(handle);
  return found == entries_.end() ? nullptr : found->second.peer;
}

EnginePeerPtr EnginePeers::Find(uint64_t id) const {
  std::lock_guard lock(mutex_);
  const Entry* entry = FindLocked(id);
  return entry == nullptr || entry->peer->ending ? nullptr : entry->peer;
}

size_t EnginePeers::size() const {
  std::lock_guard lock(mutex_);
  return static_cast<size_t>(
      std::count_if(entries_.begin(), entries_.end(), [](const auto& entry) { return !entry.second.peer->ending; }));
}

void EnginePeers::Blame(uint64_t id, Offence offence, const std::string& why) {
  const SteadyTime now = clock_.Steady();
  EnginePeerPtr peer;
  double score = 0;
  std::optional<BanList::Duration> ban;
  {
    std::lock_guard lock(mutex_);
    Entry* entry = FindLocked(id);
    if (entry == nullptr || entry->peer->ending) return;
    peer = entry->peer;
    score = entry->score.Add(offence, now);
    offences_.Add(offence);
    if (score <= PeerScore::kDisconnectAt) {
      ban = bans_list_.Ban(peer->named.peer_id, now);
      ++bans_;
      peer->ending = true;
    }
  }
  if (log_limit_.Admit(absl::StrCat("peer_offence/", OffenceName(offence)), now) || ban.has_value()) {
    log_->warn("peer_offence id={} name=\"{}\" address={} offence={} score={:.0f} message=\"{}\"", id,
               peer->named.agent, peer->named.address, std::string(OffenceName(offence)), score, Printable(why));
  }
  log_limit_.LogLeftOut(now, *log_);
  if (ban.has_value()) TellToEnd(*peer, std::chrono::ceil<std::chrono::seconds>(*ban), why);
}

void EnginePeers::BlameNoAnswer(uint64_t id, SteadyTime asked) {
  {
    std::lock_guard lock(mutex_);
    Entry* entry = FindLocked(id);
    if (entry == nullptr || (entry->no_answer_at.has_value() && asked <= *entry->no_answer_at)) return;
    entry->no_answer_at = clock_.Steady();
  }
  Blame(id, Offence::kUnresponsive, "no answer in time");
}

void EnginePeers::EndOtherChains(const std::function<bool(const ClaimedChain&)>& is_other,
                                 std::optional<uint64_t> handle) {
  std::vector<std::pair<EnginePeerPtr, ClaimedChain>> others;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [of_entry, entry] : entries_) {
      if (!entry.peer->ending && of_entry == handle.value_or(of_entry)) others.emplace_back(entry.peer, entry.chain);
    }
  }
  std::erase_if(others, [&](const auto& other) { return !is_other(other.second); });
  for (const auto& [peer, chain] : others) {
    End(*peer, kOtherChainBan,
        absl::StrCat("it is on another chain: its finalized block of slot ", chain.finalized.slot, " is not on ours"));
  }
}

void EnginePeers::End(EnginePeer& peer, std::chrono::seconds ban, const std::string& why) {
  if (!peer.ending.exchange(true)) TellToEnd(peer, ban, why);
}

void EnginePeers::TellToEnd(const EnginePeer& peer, std::chrono::seconds ban, const std::string& why) {
  const std::string reason = Printable(why, kMaxReasonBytes);
  log_->info("peer_ended id={} name=\"{}\" address={} ban_seconds={} message=\"{}\"", peer.id, peer.named.agent,
             peer.named.address, ban.count(), reason);
  end_peer_(peer, ban, reason);
}

void EnginePeers::ServesNoRange(uint64_t id) {
  std::lock_guard lock(mutex_);
  if (Entry* entry = FindLocked(id)) entry->serves_range = false;
}

std::vector<PeerInfo> EnginePeers::Infos() const {
  const SteadyTime now = clock_.Steady();
  std::lock_guard lock(mutex_);
  std::vector<PeerInfo> infos;
  for (const auto& [handle, entry] : entries_) {
    if (entry.peer->ending) continue;
    const EnginePeer& peer = *entry.peer;
    infos.push_back({.id = peer.id,
                     .name = peer.named.agent.empty() ? peer.named.peer_id : peer.named.agent,
                     .address = peer.named.address,
                     .outbound = peer.named.outbound,
                     .head = entry.chain.head,
                     .finalized = entry.chain.finalized,
                     .earliest_slot = 0,  // a Status does not tell
                     .synced = false,     // a Status does not tell
                     .serves_range = entry.serves_range,
                     .score = entry.score.At(now),
                     .requests_open = peer.requests_open});
  }
  return infos;
}

std::vector<PeerState> EnginePeers::States() const {
  const SteadyTime now = clock_.Steady();
  std::lock_guard lock(mutex_);
  std::vector<PeerState> states;
  for (const auto& [handle, entry] : entries_) {
    if (entry.peer->ending) continue;
    const EnginePeer& peer = *entry.peer;
    Traffic traffic = TrafficOf(peer);
    traffic.bytes_in = entry.report.bytes_in();
    traffic.bytes_out = entry.report.bytes_out();
    states.push_back({.state = PeerState::kConnected,
                      .address = peer.named.address,
                      .outbound = peer.named.outbound,
                      .id = peer.id,
                      .node_id = peer.named.peer_id,
                      .name = peer.named.agent,
                      .version = "",
                      .head = entry.chain.head,
                      .finalized = entry.chain.finalized,
                      .synced = false,  // a Status does not tell
                      .score = entry.score.At(now),
                      .connected_since_ms = peer.since_ms,
                      .traffic = traffic,
                      .last_disconnect_reason = {},
                      .last_disconnect_ms = 0,
                      .gossip = {.score = entry.report.score(),
                                 .in_block_mesh = entry.report.in_block_mesh(),
                                 .in_vote_mesh = entry.report.in_vote_mesh(),
                                 .accepted = entry.report.accepted(),
                                 .ignored = entry.report.ignored(),
                                 .rejected = entry.report.rejected()}});
  }
  for (const v1::TargetReport& target : targets_) states.push_back(StateOf(target));
  return states;
}

Traffic EnginePeers::traffic() const {
  std::lock_guard lock(mutex_);
  Traffic traffic = gone_;
  for (const auto& [handle, entry] : entries_) traffic += TrafficOf(*entry.peer);
  return traffic;
}

uint64_t EnginePeers::bans() const {
  std::lock_guard lock(mutex_);
  return bans_;
}

absl::Status EnginePeers::CheckHandleLocked(uint64_t handle) const {
  if (handle != 0 && handle <= last_handle_) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("peer: ", handle, " was never named on this stream"));
}

EnginePeers::Entry* EnginePeers::EntryLocked(uint64_t handle) {
  const auto found = entries_.find(handle);
  return found == entries_.end() ? nullptr : &found->second;
}

const EnginePeers::Entry* EnginePeers::FindLocked(uint64_t id) const {
  const auto found =
      std::find_if(entries_.begin(), entries_.end(), [id](const auto& entry) { return entry.second.peer->id == id; });
  return found == entries_.end() ? nullptr : &found->second;
}

EnginePeers::Entry* EnginePeers::FindLocked(uint64_t id) {
  return const_cast<Entry*>(std::as_const(*this).FindLocked(id));
}

void EnginePeers::ForgetLocked(const Entry& entry, SteadyTime now) {
  reputation_.Remember(entry.peer->named.peer_id, entry.score.At(now), now);
  gone_ += TrafficOf(*entry.peer);
}

}  // namespace lean::beacon
