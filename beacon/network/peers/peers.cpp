#include "beacon/network/peers/peers.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/bytes/bytes.h"
#include "common/log/log_text.h"
#include "common/status/status_macros.h"

namespace lean::beacon {
namespace {

// The most connected peers. Our engine allows 64 connections by default.
constexpr size_t kMaxPeers = 1024;

// How long a peer on another chain is banned.
constexpr std::chrono::seconds kOtherChainBan{60};

void View(const Checkpoint& checkpoint, v1::CheckpointView* view) {
  view->set_root(ToHex(checkpoint.root.span()));
  view->set_slot(checkpoint.slot);
}

void View(const Peer& peer, double score, v1::PeerView* view) {
  view->set_id(peer.id);
  view->set_peer_id(peer.named.peer_id());
  view->set_agent(peer.named.agent());
  view->set_address(peer.named.address());
  view->set_outbound(peer.named.outbound());
  view->set_state(v1::PeerView::CONNECTED);
  View(peer.chain.head, view->mutable_head());
  View(peer.chain.finalized, view->mutable_finalized());
  view->set_serves_range(peer.serves_range);
  view->set_score(score);
  view->set_gossip_score(peer.report.score());
  view->set_in_block_mesh(peer.report.in_block_mesh());
  view->set_in_vote_mesh(peer.report.in_vote_mesh());
  view->set_items_accepted(peer.report.accepted());
  view->set_items_ignored(peer.report.ignored());
  view->set_items_rejected(peer.report.rejected());
  view->set_bytes_in(peer.report.bytes_in());
  view->set_bytes_out(peer.report.bytes_out());
  view->set_connected_since_ms(static_cast<uint64_t>(peer.since_ms));
}

void View(const v1::TargetReport& target, v1::PeerView* view) {
  view->set_peer_id(target.peer_id());
  view->set_address(target.address());
  view->set_outbound(true);
  view->set_state(target.retry_ms() == 0 ? v1::PeerView::CONNECTING : v1::PeerView::WAITING);
  view->set_failure(target.failure());
  view->set_retry_ms(target.retry_ms());
}

}  // namespace

void Peers::Reset(uint64_t stream) {
  MutexLock lock(mutex_);
  for (const auto& [handle, peer] : peers_) {
    ++counts_.disconnected[{peer->named.outbound(), v1::PeerDisconnected::ERROR}];
    TellWatchers(*peer, /*connected=*/false, "the network engine was lost");
  }
  peers_.clear();
  targets_.clear();
  stream_ = stream;
  last_handle_ = 0;
}

absl::Status Peers::OnConnected(const v1::PeerConnected& message) {
  ASSIGN_OR_RETURN(v1::PeerConnected named, Checked(message));
  ASSIGN_OR_RETURN(const ClaimedChain chain, FromProto(message.status()));
  const SteadyTime now = clock_.Steady();
  PeerPtr peer;
  std::chrono::seconds ban{0};
  {
    MutexLock lock(mutex_);
    if (named.peer() <= last_handle_) {
      return absl::InvalidArgumentError(absl::StrCat("connected.peer: ", named.peer(), " after ", last_handle_));
    }
    if (peers_.size() >= kMaxPeers) {
      return absl::InvalidArgumentError(absl::StrCat("connected: more than ", kMaxPeers, " peers"));
    }
    last_handle_ = named.peer();
    peer = std::make_shared<Peer>(++last_id_, stream_, std::move(named));
    peer->chain = chain;
    peer->serves_range = message.serves_range();
    peer->since_ms = clock_.WallMs();
    ban = scores_.BanLeft(peer->named.peer_id(), now);
    peers_[last_handle_] = peer;
    ++counts_.connected[peer->named.outbound()];
  }
  log_->info("peer_connected id={} name=\"{}\" address={} direction={} node={} head_slot={} finalized_slot={}",
             peer->id, peer->named.agent(), peer->named.address(), peer->named.outbound() ? "out" : "in",
             peer->named.peer_id(), chain.head.slot, chain.finalized.slot);
  TellWatchers(*peer, /*connected=*/true, "");
  // An engine that was restarted does not know the bans.
  if (ban.count() > 0) End(peer, ban, "it is banned");
  EndIfOnOtherChain(peer);
  return absl::OkStatus();
}

absl::Status Peers::OnStatus(const v1::PeerStatusUpdate& message) {
  ASSIGN_OR_RETURN(const ClaimedChain chain, FromProto(message.status()));
  const absl::StatusOr<PeerPtr> peer = OfHandle(message.peer());
  if (!peer.ok() || *peer == nullptr) return peer.status();
  {
    MutexLock lock(mutex_);
    (*peer)->chain = chain;
  }
  EndIfOnOtherChain(*peer);
  return absl::OkStatus();
}

absl::StatusOr<PeerPtr> Peers::OnDisconnected(const v1::PeerDisconnected& message) {
  const absl::StatusOr<PeerPtr> peer = OfHandle(message.peer());
  if (!peer.ok() || *peer == nullptr) return peer;
  {
    MutexLock lock(mutex_);
    peers_.erase(message.peer());
    const bool is_told = v1::PeerDisconnected::Cause_IsValid(message.cause()) && message.cause() != 0;
    ++counts_.disconnected[{(*peer)->named.outbound(), is_told ? message.cause() : v1::PeerDisconnected::ERROR}];
  }
  log_->info("peer_disconnected id={} name=\"{}\" address={} message=\"{}\"", (*peer)->id, (*peer)->named.agent(),
             (*peer)->named.address(), Printable(message.reason(), kMaxReasonBytes));
  TellWatchers(**peer, /*connected=*/false, Printable(message.reason(), kMaxReasonBytes));
  return peer;
}

void Peers::OnReport(const v1::EngineReport& report) {
  MutexLock lock(mutex_);
  for (const v1::PeerReport& reported : report.peers()) {
    if (const PeerPtr peer = FindLocked(reported.peer())) peer->report = reported;  // null: it has disconnected
  }
  targets_.assign(report.targets().begin(), report.targets().end());
}

absl::StatusOr<PeerPtr> Peers::OfHandle(uint64_t handle) const {
  MutexLock lock(mutex_);
  RETURN_IF_ERROR(CheckHandleLocked(handle));
  return FindLocked(handle);
}

PeerPtr Peers::Find(uint64_t id) const {
  MutexLock lock(mutex_);
  PeerPtr peer = FindByIdLocked(id);
  return peer == nullptr || peer->ending ? nullptr : peer;
}

size_t Peers::size() const {
  MutexLock lock(mutex_);
  return StayingLocked().size();
}

void Peers::Blame(uint64_t id, Offence offence, const std::string& why) {
  const SteadyTime now = clock_.Steady();
  PeerPtr peer;
  double score = 0;
  std::chrono::seconds ban{0};
  {
    MutexLock lock(mutex_);
    peer = FindByIdLocked(id);
    if (peer == nullptr || peer->ending) return;
    score = scores_.Add(peer->named.peer_id(), offence, now);
    ++counts_.offences[static_cast<size_t>(offence)];
    if (score <= PeerScores::kEndAt) {
      ban = scores_.BanLeft(peer->named.peer_id(), now);
      peer->ending = true;
      ++counts_.bans;
    }
  }
  if (log_limit_.Admit(absl::StrCat("peer_offence/", OffenceName(offence)), now) || ban.count() > 0) {
    log_->warn("peer_offence id={} name=\"{}\" address={} offence={} score={:.0f} message=\"{}\"", id,
               peer->named.agent(), peer->named.address(), std::string(OffenceName(offence)), score, Printable(why));
  }
  if (ban.count() > 0) TellToEnd(*peer, ban, absl::StrCat(OffenceName(offence), ": ", why));
}

void Peers::BlameNoAnswer(uint64_t id, SteadyTime asked) {
  {
    MutexLock lock(mutex_);
    const PeerPtr peer = FindByIdLocked(id);
    if (peer == nullptr || (peer->no_answer_at.has_value() && asked <= *peer->no_answer_at)) return;
    peer->no_answer_at = clock_.Steady();
  }
  Blame(id, Offence::kUnresponsive, "no answer in time");
}

void Peers::EndOtherChains() {
  std::vector<PeerPtr> peers;
  {
    MutexLock lock(mutex_);
    peers = StayingLocked();
  }
  for (const PeerPtr& peer : peers) EndIfOnOtherChain(peer);
}

void Peers::EndIfOnOtherChain(const PeerPtr& peer) {
  ClaimedChain chain;
  {
    MutexLock lock(mutex_);
    chain = peer->chain;
  }
  if (!is_other_chain_(chain)) return;
  End(peer, kOtherChainBan,
      absl::StrCat("it is on another chain: its finalized block of slot ", chain.finalized.slot, " is not on ours"));
}

void Peers::TellWatchers(const Peer& peer, bool connected, std::string reason) const {
  if (events_ == nullptr) return;
  events_->Add(PeerChanged{.connected = connected,
                           .id = peer.id,
                           .peer_id = peer.named.peer_id(),
                           .agent = peer.named.agent(),
                           .address = peer.named.address(),
                           .outbound = peer.named.outbound(),
                           .reason = std::move(reason)});
}

void Peers::TellToEnd(const Peer& peer, std::chrono::seconds ban, const std::string& why) {
  v1::BeaconToEngine message;
  message.mutable_end_peer()->set_peer(peer.named.peer());
  message.mutable_end_peer()->set_ban_seconds(static_cast<uint32_t>(ban.count()));
  message.mutable_end_peer()->set_reason(Printable(why, kMaxReasonBytes));
  log_->info("peer_ended id={} name=\"{}\" address={} ban_seconds={} message=\"{}\"", peer.id, peer.named.agent(),
             peer.named.address(), ban.count(), message.end_peer().reason());
  send_(peer.stream, std::move(message));
}

void Peers::ServesNoRange(uint64_t id) {
  MutexLock lock(mutex_);
  if (const PeerPtr peer = FindByIdLocked(id)) peer->serves_range = false;
}

std::vector<PeerInfo> Peers::Infos() const {
  const SteadyTime now = clock_.Steady();
  MutexLock lock(mutex_);
  std::vector<PeerInfo> infos;
  for (const PeerPtr& peer : StayingLocked()) {
    infos.push_back({.id = peer->id,
                     .name = peer->named.agent().empty() ? peer->named.peer_id() : peer->named.agent(),
                     .address = peer->named.address(),
                     .outbound = peer->named.outbound(),
                     .head = peer->chain.head,
                     .finalized = peer->chain.finalized,
                     .serves_range = peer->serves_range,
                     .score = scores_.Of(peer->named.peer_id(), now),
                     .requests_open = peer->requests_open});
  }
  return infos;
}

v1::GetPeersResponse Peers::Views() const {
  const SteadyTime now = clock_.Steady();
  MutexLock lock(mutex_);
  v1::GetPeersResponse views;
  for (const PeerPtr& peer : StayingLocked()) {
    View(*peer, scores_.Of(peer->named.peer_id(), now), views.add_peers());
  }
  for (const v1::TargetReport& target : targets_) View(target, views.add_peers());
  return views;
}

Peers::Counts Peers::counts() const {
  MutexLock lock(mutex_);
  return counts_;
}

metrics::FootprintList Peers::caches() const {
  MutexLock lock(mutex_);
  metrics::Footprint peers{.name = "peers", .items = peers_.size(), .bytes = 0};
  for (const auto& [handle, peer] : peers_) peers.bytes += sizeof(Peer) + peer->named.SpaceUsedLong();
  return {peers, {.name = "peer_scores", .items = scores_.size(), .bytes = scores_.bytes()}};
}

absl::Status Peers::CheckHandleLocked(uint64_t handle) const {
  if (handle != 0 && handle <= last_handle_) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("peer: ", handle, " was never named on this stream"));
}

PeerPtr Peers::FindLocked(uint64_t handle) const {
  const auto found = peers_.find(handle);
  return found == peers_.end() ? nullptr : found->second;
}

PeerPtr Peers::FindByIdLocked(uint64_t id) const {
  const auto found =
      std::find_if(peers_.begin(), peers_.end(), [id](const auto& entry) { return entry.second->id == id; });
  return found == peers_.end() ? nullptr : found->second;
}

std::vector<PeerPtr> Peers::StayingLocked() const {
  std::vector<PeerPtr> staying;
  for (const auto& [handle, peer] : peers_) {
    if (!peer->ending) staying.push_back(peer);
  }
  return staying;
}

}  // namespace lean::beacon
