#include "beacon/network/network_service.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "beacon/network/asked_blocks.h"
#include "beacon/network/block_answers.h"
#include "beacon/network/link_views.h"
#include "beacon/network/messages.h"
#include "beacon/network/peer_server.h"
#include "common/bytes/hex.h"
#include "common/version/version.h"

namespace lean::beacon {
namespace {

constexpr std::chrono::milliseconds kTick{100};

// For goodbyes to be read, and then for broken streams to end.
constexpr std::chrono::milliseconds kStopGrace{500};
constexpr std::chrono::milliseconds kServerGrace{200};

// Requests of peers that wait for a thread; each link may have few.
constexpr size_t kServeThreads = 2;
constexpr size_t kServeQueue = 256;

// What is remembered of a peer's items: two slots' votes and something for the smallest networks.
constexpr size_t kLeastKnownItems = 2048;

// Calls of one connection, and what all connections may hold in memory.
constexpr int kMaxConcurrentCalls = 16;
constexpr size_t kMemoryQuotaBytes = size_t{512} << 20;
// A connection without a stream.
constexpr int kMaxIdleMs = 30'000;

Identity MakeIdentity(const NetworkOptions& options, const NetworkContext& context) {
  return {.network = context.spec.name,
          .genesis_root = context.genesis.block_root,
          .spec_digest = SpecDigest(context.spec),
          .node = DrawId<NodeId>(),
          .name = options.name,
          .version = std::string(Version()),
          .spec_text = SpecText(context.spec)};
}

}  // namespace

absl::StatusOr<std::unique_ptr<NetworkService>> NetworkService::Start(const NetworkOptions& options,
                                                                      const NetworkContext& context) {
  std::unique_ptr<NetworkService> service(new NetworkService(options, context));
  if (absl::Status status = service->channels_.ReadTls(); !status.ok()) return status;
  if (absl::Status status = service->CheckPeers(); !status.ok()) return status;
  if (absl::Status status = service->Listen(); !status.ok()) return status;
  service->outbound_thread_ = std::thread([network = service.get()] { network->RunOutbound(); });
  service->tick_thread_ = std::jthread([network = service.get()](std::stop_token stop) { network->RunTicks(stop); });
  context.log->info("network_started node={} peer_address={} peers={}", service->node_id(),
                    service->peer_address_.empty() ? "none" : service->peer_address_, options.peers.size());
  return service;
}

NetworkService::NetworkService(const NetworkOptions& options, const NetworkContext& context)
    : context_(context),
      options_(options),
      own_(MakeIdentity(options, context)),
      gossip_(SinkOf(context.chain), context.clock, context.genesis.state->validators.size()),
      link_context_({.owner = *this,
                     .gossip = gossip_,
                     .own = own_,
                     .clock = context.clock,
                     .offences = offences_,
                     .chain = [this] { return OwnChain(); },
                     .rates = options.rates.value_or(
                         RateLimits::For(context.genesis.state->validators.size(), context.spec.slot_duration_ms)),
                     .queue = options.queue.value_or(SendQueue::Limits::For(context.genesis.state->validators.size())),
                     .known_items = kLeastKnownItems + 2 * context.genesis.state->validators.size(),
                     .log = context.log}),
      serve_pool_(kServeThreads, kServeQueue),
      pending_(std::make_shared<Pending>()),
      channels_(options.tls),
      table_(own_.node, options.limits),
      targets_(options.peers, std::random_device()()) {
  RefreshChain();
}

NetworkService::~NetworkService() { Stop(); }

absl::Status NetworkService::CheckPeers() const {
  for (const std::string& address : options_.peers) {
    if (absl::Status status = channels_.Check(address); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status NetworkService::Listen() {
  if (options_.listen_address.empty()) return absl::OkStatus();
  auto schedule = [this](const rpc::Caller&, rpc::Work work) {
    if (serve_pool_.TrySubmit(std::move(work.run)) != PushResult::kPushed) work.refuse();
  };
  peer_server_ = std::make_unique<PeerServer>(*this, context_.blocks, context_.clock, std::move(schedule));
  auto server =
      rpc::Server::Start({.address = options_.listen_address,
                          .tls = {.cert = options_.tls.cert, .key = options_.tls.key, .client_ca = options_.tls.ca},
                          .log = context_.log,
                          .max_concurrent_calls = kMaxConcurrentCalls,
                          .memory_quota_bytes = kMemoryQuotaBytes,
                          .max_idle_ms = kMaxIdleMs,
                          .open_to_all = true,
                          .gate = {.admit = [this](const std::string& host) { return MayConnect(host); }}},
                         {{peer_server_.get(), v1::PeerService::service_full_name()}});
  if (!server.ok()) return server.status();
  server_ = *std::move(server);
  peer_address_ = server_->address().ToString();
  return absl::OkStatus();
}

void NetworkService::Stop() {
  context_.outbound.Close();
  if (outbound_thread_.joinable()) outbound_thread_.join();
  tick_thread_.request_stop();
  if (tick_thread_.joinable()) tick_thread_.join();
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  const auto gone = [this] { return links_.empty(); };
  for (const LinkPtr& link : Links()) link->End({v1::PeerGoodbye::SHUTTING_DOWN, "stopping"});
  {
    std::unique_lock lock(mutex_);
    links_changed_.wait_for(lock, kStopGrace, gone);
  }
  for (const LinkPtr& link : Links()) link->Cancel();
  if (server_ != nullptr) server_->Shutdown(kServerGrace);
  {
    std::unique_lock lock(mutex_);
    links_changed_.wait(lock, gone);
  }
  serve_pool_.Stop();
  broken_.Stop();
  pending_->Await();
  channels_.Stop();
}

void NetworkService::RunOutbound() {
  while (const std::optional<OutboundItem> item = context_.outbound.Pop()) {
    std::vector<GossipPeerPtr> peers;
    for (LinkPtr& link : Links()) peers.push_back(std::move(link));
    gossip_.Forward(*item, peers);
    if (item->block != nullptr) RefreshChain();
  }
}

void NetworkService::RunTicks(std::stop_token stop) {
  while (context_.clock.WaitUntil(context_.clock.Steady() + kTick, stop)) Tick();
}

void NetworkService::Tick() {
  const SteadyTime now = context_.clock.Steady();
  for (const LinkPtr& link : Links()) link->Tick(now);
  if (peer_server_ != nullptr) peer_server_->Tick(now);
  RefreshChain();
  for (const LinkPtr& link : broken_.Judge(now)) {
    link->Report(Offence::kBrokeOff, "the stream ended without a goodbye while the connection stood");
    Remember(*link, now);
  }
  channels_.DropUnused();
  std::lock_guard lock(mutex_);
  for (const std::string& address : targets_.Due(table_, now)) DialLocked(address);
}

void NetworkService::DialLocked(const std::string& address) {
  const uint64_t id = next_link_++;
  targets_.OnDialling(address, id);
  const auto stub = channels_.Open(address);
  if (!stub.ok()) {
    context_.log->warn("peer_unreachable address={} message=\"{}\"", address, std::string(stub.status().message()));
    targets_.OnEnded(id, {.node = {}, .reason = std::string(stub.status().message())}, context_.clock.Steady());
    return;
  }
  auto link = std::make_shared<Link>(link_context_, id, /*outbound=*/true, address, SessionId());
  links_.emplace(id, link);
  stubs_.emplace(id, *stub);
  ClientStream* stream = MakeClientStream(*stub, kGossipMethod, link);
  link->Start(StreamOf(stream));
  StartClientStream(stream);
}

bool NetworkService::MayConnect(const std::string& host) {
  std::lock_guard lock(mutex_);
  return !stopping_ && table_.MayConnect(host, context_.clock.Steady());
}

LinkPtr NetworkService::Accept(const std::string& peer) {
  const std::string host = HostOf(peer);
  const SteadyTime now = context_.clock.Steady();
  std::lock_guard lock(mutex_);
  if (stopping_ || table_.BanLeft(nullptr, host, now).has_value() || !table_.MayArrive(host, now)) return nullptr;
  const auto in_handshake = std::count_if(links_.begin(), links_.end(), [&](const auto& entry) {
    return !entry.second->outbound() && entry.second->opened_ms() == 0 && HostOf(entry.second->address()) == host;
  });
  if (static_cast<size_t>(in_handshake) >= options_.limits.handshakes_per_host) return nullptr;
  if (links_.size() >= 2 * options_.limits.peers) return nullptr;
  const uint64_t id = next_link_++;
  const SessionId session = DrawId<SessionId>();
  auto link = std::make_shared<Link>(link_context_, id, /*outbound=*/false, peer, session);
  links_.emplace(id, link);
  return link;
}

LinkPtr NetworkService::LinkOf(const SessionId& session) {
  std::lock_guard lock(mutex_);
  const auto found = sessions_.find(session);
  if (found == sessions_.end()) return nullptr;
  const auto link = links_.find(found->second);
  return link == links_.end() ? nullptr : link->second;
}

std::optional<Goodbye> NetworkService::Admit(const LinkPtr& link) {
  const NodeId node = link->peer().node;
  const std::string host = HostOf(link->address());
  const SteadyTime now = context_.clock.Steady();
  LinkPtr replaced;
  std::shared_ptr<grpc::GenericStub> stub;
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return Goodbye{v1::PeerGoodbye::SHUTTING_DOWN, "stopping"};
    const PeerTable::Decision decision =
        table_.Admit({.link = link->id(), .node = node, .outbound = link->outbound(), .host = host}, now);
    if (std::optional<Goodbye> refusal = RefusalFor(decision.verdict)) return refusal;
    link->LowerScoreTo(table_.ScoreOf(node, host, now));
    if (decision.replaced.has_value()) replaced = links_[*decision.replaced];
    if (link->outbound()) {
      stub = stubs_[link->id()];
      targets_.OnLinked(link->id(), now);
    } else {
      sessions_.emplace(link->session(), link->id());
    }
  }
  if (replaced != nullptr) replaced->End({v1::PeerGoodbye::DUPLICATE, "another link stands between us"});
  if (stub != nullptr) OpenAsker(link, stub);
  return std::nullopt;
}

void NetworkService::OpenAsker(const LinkPtr& link, const std::shared_ptr<grpc::GenericStub>& stub) {
  const SessionId session = link->peer().session;
  auto asker = std::make_shared<UnaryAsker>(stub, session);
  link->SetAsker(asker);
  auto serve = [this, link, token = Pending::Token(pending_)](
                   v1::BlocksRequest request, std::function<void(absl::StatusOr<v1::BlocksResponse>)> reply) {
    link->CountRequestIn();
    auto task = [this, link, token, request = std::move(request), reply] {
      if (!link->open()) return;  // nobody waits for it any more
      reply(AnswerRequest(request, *link, context_.blocks, context_.clock));
    };
    serve_pool_.TrySubmit(std::move(task));  // not taken: the peer asks somebody else in time
  };
  auto answers = std::make_shared<AnswerStream>(std::move(serve));
  ClientStream* stream = MakeClientStream(stub, kAnswerMethod, answers);
  answers->Start(StreamOf(stream), session);
  StartClientStream(stream);
  asker->SetOnClose([answers] { answers->Cancel(); });
}

std::string NetworkService::Ban(const LinkPtr& link) {
  ++bans_;
  std::lock_guard lock(mutex_);
  const auto duration = table_.Ban(link->peer().node, HostOf(link->address()), context_.clock.Steady());
  return absl::StrCat(std::chrono::duration_cast<std::chrono::seconds>(duration).count(), " s");
}

void NetworkService::Remember(const Link& link, SteadyTime now) {
  std::lock_guard lock(mutex_);
  table_.Remember(link.peer().node, HostOf(link.address()), link.score(), now);
}

void NetworkService::OnEnded(const LinkPtr& link) {
  const LinkEnd end = link->end().value_or(LinkEnd());
  const NodeId node = link->peer().node;
  const SteadyTime now = context_.clock.Steady();
  Remember(*link, now);
  std::lock_guard lock(mutex_);
  table_.Remove(link->id());
  if (link->broke_off()) broken_.Add(link, now);
  sessions_.erase(link->session());
  stubs_.erase(link->id());
  const auto ban = table_.BanLeft(&node, HostOf(link->address()), now);
  const bool news = targets_.OnEnded(link->id(),
                                     {.kind = ban.has_value() ? DialEnd::kBanned : KindOf(end),
                                      .node = node,
                                      .ban = ban.value_or(DialPlan::Duration()),
                                      .reason = absl::StrCat(ReasonOf(end), ": ", end.goodbye.message),
                                      .wall_ms = context_.clock.WallMs()},
                                     now);
  LogEnd(*link, end, news, *context_.log);
  ended_traffic_ += link->traffic();
  links_.erase(link->id());
  links_changed_.notify_all();
}

void NetworkService::RefreshChain() {
  PeerChain chain = OwnChain();
  const auto [head, finalized] =
      context_.chain.Read([](const LeanChain& now) { return std::make_pair(now.head(), now.finalized()); });
  const bool synced = context_.synced();
  if (chain.head == head && chain.finalized == finalized && chain.synced == synced) return;
  chain = {.head = head, .finalized = finalized, .earliest_slot = context_.blocks.earliest_slot(), .synced = synced};
  {
    std::lock_guard lock(chain_mutex_);
    chain_ = chain;
  }
  for (const LinkPtr& link : Links()) link->SendChain(chain);
}

PeerChain NetworkService::OwnChain() const {
  std::lock_guard lock(chain_mutex_);
  return chain_;
}

std::vector<LinkPtr> NetworkService::Links() const {
  std::lock_guard lock(mutex_);
  std::vector<LinkPtr> links;
  for (const auto& [id, link] : links_) links.push_back(link);
  return links;
}

LinkPtr NetworkService::FindLink(uint64_t id) const {
  std::lock_guard lock(mutex_);
  const auto found = links_.find(id);
  return found == links_.end() ? nullptr : found->second;
}

std::vector<PeerInfo> NetworkService::Peers() const {
  std::vector<PeerInfo> peers;
  for (const LinkPtr& link : Links()) {
    if (link->open()) peers.push_back(InfoOf(*link));
  }
  return peers;
}

void NetworkService::BlocksByRoot(uint64_t peer, std::vector<Root> roots, Done done) {
  if (absl::Status status = CheckRootsAsked(roots.size()); !status.ok()) return done(status);
  Ask(peer, RequestByRoot(roots), std::move(done));
}

void NetworkService::BlocksByRange(uint64_t peer, uint64_t first_slot, uint64_t count, Done done) {
  if (absl::Status status = CheckSlotsAsked(count); !status.ok()) return done(status);
  Ask(peer, RequestByRange(first_slot, count), std::move(done));
}

void NetworkService::Ask(uint64_t peer, v1::BlocksRequest request, Done done) {
  const LinkPtr link = FindLink(peer);
  if (link == nullptr || !link->open()) return done(absl::NotFoundError("the peer is gone"));
  const std::shared_ptr<BlockAsker> asker = link->asker();
  if (asker == nullptr) return done(absl::UnavailableError("the peer takes no requests"));
  link->CountRequestOut();
  asker->Ask(request, [link, request, asked = context_.clock.Steady(), done = std::move(done),
                       token = Pending::Token(pending_)](const absl::StatusOr<v1::BlocksResponse>& answer) {
    done(JudgeAnswer(request, answer, asked, *link));
  });
}

void NetworkService::Report(uint64_t peer, Offence offence, std::string why) {
  if (const LinkPtr link = FindLink(peer)) link->Report(offence, std::move(why));
}

size_t NetworkService::linked_peers() const {
  std::lock_guard lock(mutex_);
  return table_.size();
}

NetworkCounts NetworkService::counts() const {
  NetworkCounts counts{.traffic = {}, .duplicates = gossip_.counts().duplicates, .offences = {}, .bans = bans_};
  for (const Offence offence : kOffences) counts.offences[static_cast<size_t>(offence)] = offences_.Of(offence);
  std::lock_guard lock(mutex_);
  counts.traffic = ended_traffic_;
  for (const auto& [id, link] : links_) counts.traffic += link->traffic();
  return counts;
}

std::string NetworkService::node_id() const { return ToHex(own_.node.span()); }

std::vector<PeerState> NetworkService::PeerStates() const {
  std::vector<PeerState> states;
  for (const LinkPtr& link : Links()) {
    if (link->open()) states.push_back(StateOf(*link));
  }
  std::lock_guard lock(mutex_);
  targets_.AddTo(&states);
  return states;
}

}  // namespace lean::beacon
