#include "tests/simulation/world/simulated_engine.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/containers/attestation.h"
#include "common/ssz/ssz.h"
#include "google/protobuf/arena.h"

namespace lean::simulation {
namespace {

// Messages with hundreds of items are made and dropped all the time.
const google::protobuf::ArenaOptions kArena = [] {
  google::protobuf::ArenaOptions options;
  options.start_block_size = 16'384;
  options.max_block_size = 65'536;
  return options;
}();

}  // namespace

SimulatedEngine::SimulatedEngine(Fabric& fabric, size_t node, const Behaviour& behaviour,
                                 beacon::EngineLinkOwner& owner, EngineWatch watch)
    : fabric_(fabric),
      loop_(fabric.loop()),
      node_(node),
      behaviour_(behaviour),
      owner_(owner),
      watch_(std::move(watch)) {}

SimulatedEngine::~SimulatedEngine() {
  if (fabric_.EngineOf(node_) == this) fabric_.SetEngine(node_, nullptr);
}

void SimulatedEngine::Start() {
  fabric_.SetEngine(node_, this);
  status_ = owner_.Hello().status();
  attached_ = 1;
  owner_.OnAttached(attached_);
  Later(static_cast<Ms>(node_ % 10) * 10, [this] { Dial(); });
  Later(4'000, [this] { AskStatuses(); });
}

void SimulatedEngine::Later(Ms delay, EventLoop::Action action) {
  loop_.In(delay, [alive = alive(), action = std::move(action)] {
    if (!alive.expired()) action();
  });
}

void SimulatedEngine::SendTo(size_t to, std::function<void(SimulatedEngine&)> action) {
  fabric_.Send(node_, to, [fabric = &fabric_, to, action = std::move(action)] {
    if (SimulatedEngine* engine = fabric->EngineOf(to)) action(*engine);
  });
}

void SimulatedEngine::Deliver(const v1::EngineToBeacon& message) {
  if (const absl::Status status = owner_.OnMessage(attached_, message); !status.ok()) watch_.violated(status);
  watch_.delivered();
}

v1::ChainStatus SimulatedEngine::status() const {
  if (!behaviour_.lies) return status_;
  v1::ChainStatus lie = status_;
  lie.mutable_head()->set_slot(status_.head().slot() + 1);
  lie.mutable_head()->set_root(std::string(32, static_cast<char>('A' + node_ % 26)));
  return lie;
}

// --- Connections ---

void SimulatedEngine::Dial() {
  for (const size_t peer : fabric_.NeighboursOf(node_)) {
    if (IsConnected(peer)) continue;
    SendTo(peer, [this, alive = alive()](SimulatedEngine& other) {
      if (alive.expired() || Bans(other.node_) || other.Bans(node_) || IsConnected(other.node_)) return;
      // The other side still has the connection to an earlier engine of this node.
      other.OnDisconnected(node_, v1::PeerDisconnected::REMOTE_CLOSE);
      OnConnected(other.node_, /*outbound=*/true, other.status());
      other.OnConnected(node_, /*outbound=*/false, status());
    });
  }
  if (behaviour_.garbage) SendGarbage();
  Later(kDialEvery, [this] { Dial(); });
}

bool SimulatedEngine::Bans(size_t node) const {
  const auto banned = banned_until_.find(node);
  return banned != banned_until_.end() && banned->second > loop_.now();
}

void SimulatedEngine::OnConnected(size_t node, bool outbound, const v1::ChainStatus& status) {
  handles_[node] = ++last_handle_;
  nodes_[last_handle_] = node;
  v1::EngineToBeacon message;
  v1::PeerConnected& connected = *message.mutable_connected();
  connected.set_peer(last_handle_);
  connected.set_peer_id(absl::StrCat("node-", node));
  connected.set_agent("lean-sim");
  connected.set_address(absl::StrCat("node-", node));
  connected.set_outbound(outbound);
  connected.set_serves_range(true);
  *connected.mutable_status() = status;
  Deliver(message);
}

void SimulatedEngine::OnDisconnected(size_t node, v1::PeerDisconnected::Cause cause) {
  const auto found = handles_.find(node);
  if (found == handles_.end()) return;
  v1::EngineToBeacon message;
  message.mutable_disconnected()->set_peer(found->second);
  message.mutable_disconnected()->set_cause(cause);
  handles_.erase(found);
  Deliver(message);
}

void SimulatedEngine::DropUnreachable() {
  std::vector<size_t> gone;
  for (const auto& [node, handle] : handles_) {
    const SimulatedEngine* other = fabric_.EngineOf(node);
    if (other == nullptr || !fabric_.Reaches(node_, node) || !other->IsConnected(node_)) gone.push_back(node);
  }
  for (const size_t node : gone) OnDisconnected(node, v1::PeerDisconnected::TIMEOUT);
}

void SimulatedEngine::EndPeer(const v1::EndPeer& message) {
  const auto found = nodes_.find(message.peer());
  if (found == nodes_.end()) return;
  const size_t node = found->second;
  watch_.peer_ended(node, message.ban_seconds(), message.reason());
  if (message.ban_seconds() > 0) banned_until_[node] = loop_.now() + Ms{1000} * message.ban_seconds();
  // Not at once: the beacon is in the middle of something.
  Later(0, [this, node, handle = message.peer()] {
    const auto connected = handles_.find(node);
    if (connected == handles_.end() || connected->second != handle) return;
    OnDisconnected(node, v1::PeerDisconnected::LOCAL_CLOSE);
    SendTo(node,
           [self = node_](SimulatedEngine& other) { other.OnDisconnected(self, v1::PeerDisconnected::REMOTE_CLOSE); });
  });
}

void SimulatedEngine::AskStatuses() {
  DropUnreachable();
  for (const auto& [node, handle] : handles_) {
    SendTo(node, [self = node_](SimulatedEngine& other) {
      other.SendTo(self, [from = other.node_, status = other.status()](SimulatedEngine& asker) {
        asker.OnStatus(from, status);
      });
    });
  }
  Later(4'000, [this] { AskStatuses(); });
}

void SimulatedEngine::OnStatus(size_t node, const v1::ChainStatus& status) {
  const auto found = handles_.find(node);
  if (found == handles_.end()) return;
  v1::EngineToBeacon message;
  message.mutable_status()->set_peer(found->second);
  *message.mutable_status()->mutable_status() = status;
  Deliver(message);
}

// --- From the beacon ---

void SimulatedEngine::Send(uint64_t, v1::BeaconToEngine message) {
  switch (message.content_case()) {
    case v1::BeaconToEngine::kStatus:
      status_ = message.status();
      break;
    case v1::BeaconToEngine::kPublish:
      Publish(message.publish());
      break;
    case v1::BeaconToEngine::kVerdicts:
      for (const v1::Verdict& verdict : message.verdicts().verdicts()) Decide(verdict);
      break;
    case v1::BeaconToEngine::kRequest:
      Ask(message.request());
      break;
    case v1::BeaconToEngine::kAnswer: {
      const auto found = requests_.find(message.answer().id());
      if (found == requests_.end()) break;
      v1::BlockAnswer& collected = found->second.collected;
      collected.MergeFrom(message.answer());
      if (collected.end() == v1::BlockAnswer::MORE) break;
      const Asked asked = std::move(found->second);
      requests_.erase(found);
      asked.answer(asked.collected);
      break;
    }
    case v1::BeaconToEngine::kEndPeer:
      EndPeer(message.end_peer());
      break;
    default:
      break;
  }
}

void SimulatedEngine::Publish(const v1::Publish& items) {
  if (behaviour_.withholds) return;
  for (const std::string& block : items.blocks()) PublishItem(/*is_block=*/true, block);
  for (const std::string& vote : items.votes()) PublishItem(/*is_block=*/false, vote);
}

void SimulatedEngine::PublishItem(bool is_block, const std::string& bytes) {
  const PayloadPtr payload = fabric_.Intern(is_block, bytes);
  if (fabric_.HasSeen(*payload, node_)) return;
  fabric_.See(*payload, node_);
  Spread(*payload, node_);
}

void SimulatedEngine::SendGarbage() {
  PublishItem(/*is_block=*/false, absl::StrCat("garbage of node ", node_, " at ", loop_.now()));
  SignedAttestation vote;  // not signed
  vote.message.data.slot = static_cast<uint64_t>(loop_.now() / 4'000);
  vote.message.validator_id = node_;
  PublishItem(/*is_block=*/false, ssz::SerializeToString(vote));
}

// --- Gossip ---

void SimulatedEngine::Spread(Payload& payload, size_t except) {
  for (const auto& [node, handle] : handles_) {
    if (node == except) continue;
    fabric_.SendGossip(node_, node, payload);
  }
}

void SimulatedEngine::OnGossip(size_t from, const PayloadPtr& payload) {
  const auto handle = handles_.find(from);
  if (handle == handles_.end()) return;
  fabric_.See(*payload, node_);
  while (!undecided_.empty() &&
         (undecided_.front().payload == nullptr || undecided_.front().came <= loop_.now() - kVerdictTime)) {
    undecided_.pop_front();
    ++first_undecided_;
  }
  undecided_.push_back({payload, from, handle->second, loop_.now()});
  if (arrived_++ == 0) Later(kHandOver, [this] { FlushItems(); });
}

void SimulatedEngine::FlushItems() {
  google::protobuf::Arena arena(kArena);
  auto& message = *google::protobuf::Arena::CreateMessage<v1::EngineToBeacon>(&arena);
  v1::GossipItems& items = *message.mutable_items();
  for (size_t i = undecided_.size() - std::exchange(arrived_, 0); i < undecided_.size(); ++i) {
    const Undecided& arrived = undecided_[i];
    v1::GossipItem& item = *items.add_items();
    item.set_id(first_undecided_ + i);
    item.set_peer(arrived.handle);
    (arrived.payload->is_block ? *item.mutable_block() : *item.mutable_vote()) = ReferenceTo(arrived.payload);
  }
  Deliver(message);
}

void SimulatedEngine::Decide(const v1::Verdict& verdict) {
  if (verdict.id() < first_undecided_ || verdict.id() >= first_undecided_ + undecided_.size()) return;
  Undecided& item = undecided_[verdict.id() - first_undecided_];
  const PayloadPtr payload = std::exchange(item.payload, nullptr);
  if (payload == nullptr) return;
  watch_.judged(item.from, verdict.outcome() == v1::Verdict::REJECT);
  if (verdict.outcome() == v1::Verdict::ACCEPT && !behaviour_.silent) Spread(*payload, item.from);
}

// --- Requests ---

void SimulatedEngine::Ask(const v1::BlockRequest& request) {
  const uint64_t id = request.id();
  const auto answer = [this, id](v1::BlockAnswer message) {
    message.set_id(id);
    v1::EngineToBeacon delivered;
    *delivered.mutable_answer() = std::move(message);
    Deliver(delivered);
  };
  const auto found = nodes_.find(request.peer());
  if (found == nodes_.end() || !IsConnected(found->second)) {
    Later(0, [answer] {
      v1::BlockAnswer failed;
      failed.set_end(v1::BlockAnswer::FAILED);
      answer(std::move(failed));
    });
    return;
  }
  const auto open = std::make_shared<bool>(true);
  Later(kRequestTime, [open, answer] {
    if (!std::exchange(*open, false)) return;
    v1::BlockAnswer late;
    late.set_end(v1::BlockAnswer::TIMED_OUT);
    answer(std::move(late));
  });
  // This engine may be gone when the request or the answer arrives, so that neither reads from it.
  SendTo(found->second, [node = node_, alive = alive(), open, answer, request](SimulatedEngine& other) {
    other.OnRequest(node, request, [node, alive, open, answer, peer = &other](v1::BlockAnswer message) {
      peer->SendTo(node, [alive, open, answer, message = std::move(message)](SimulatedEngine&) {
        if (!alive.expired() && std::exchange(*open, false)) answer(message);
      });
    });
  });
}

void SimulatedEngine::OnRequest(size_t from, v1::BlockRequest request, std::function<void(v1::BlockAnswer)> answer) {
  const auto handle = handles_.find(from);
  if (handle == handles_.end() || behaviour_.silent) return;
  const uint64_t id = ++last_request_;
  requests_[id].answer = std::move(answer);
  request.set_id(id);
  request.set_peer(handle->second);
  v1::EngineToBeacon message;
  *message.mutable_request() = std::move(request);
  Deliver(message);
}

}  // namespace lean::simulation
