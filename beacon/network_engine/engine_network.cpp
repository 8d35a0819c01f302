#include "beacon/network_engine/engine_network.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "beacon/network/gossip_codec.h"

namespace lean::beacon {
namespace {

constexpr std::chrono::milliseconds kTick{50};

// Own items are published again for so many slots.
constexpr uint64_t kPublishAgainSlots = 2;

size_t Validators(const NetworkContext& context) { return context.genesis.state->validators.size(); }

}  // namespace

absl::StatusOr<std::unique_ptr<EngineNetwork>> EngineNetwork::Start(const EngineNetworkOptions& options,
                                                                    const NetworkContext& context) {
  if (absl::Status status = EngineStream::CheckAddress(options.address); !status.ok()) return status;
  std::unique_ptr<EngineNetwork> network(new EngineNetwork(options, context));
  context.log->info("network_started engine={}", options.address);
  network->outbound_thread_ = std::thread([network = network.get()] { network->RunOutbound(); });
  network->tick_thread_ = std::jthread([network = network.get()](std::stop_token stop) { network->RunTicks(stop); });
  return network;
}

EngineNetwork::EngineNetwork(const EngineNetworkOptions& options, const NetworkContext& context)
    : context_(context),
      peers_(options.rates.value_or(RateLimits::For(Validators(context), context.spec.slot_duration_ms)), context.clock,
             context.log,
             [this](const EnginePeer& peer, std::chrono::seconds ban, const std::string& why) {
               v1::EndPeer end;
               end.set_peer(peer.named.handle);
               end.set_ban_seconds(static_cast<uint32_t>(ban.count()));
               end.set_reason(why);
               stream_.Send(peer.stream, [&](EngineOutbox& outbox) { outbox.AddEndPeer(std::move(end)); });
             }),
      gossip_(
          SinkOf(context.chain),
          [this](uint64_t stream, uint64_t id, v1::Verdict::Outcome outcome) {
            stream_.Send(stream, [&](EngineOutbox& outbox) { outbox.AddVerdict(id, outcome); });
          },
          peers_, context.clock, EngineGossipLimits::For(Validators(context))),
      requests_(
          [this](uint64_t stream, v1::BlockRequest request) {
            stream_.Send(stream, [&](EngineOutbox& outbox) { outbox.AddRequest(std::move(request)); });
          },
          peers_, context.clock, options.requests),
      server_(context.blocks, peers_, context.clock,
              {.send =
                   [this](uint64_t stream, v1::BlockAnswer answer) {
                     stream_.Send(stream, [&](EngineOutbox& outbox) { outbox.AddAnswer(std::move(answer)); });
                   },
               .queued_bytes = [this] { return stream_.waiting_answer_bytes(); }},
              options.serving),
      own_items_(std::chrono::milliseconds(kPublishAgainSlots * context.spec.slot_duration_ms),
                 2 * Validators(context)),
      stream_(options.address, *this, context.clock, context.log) {}

EngineNetwork::~EngineNetwork() { Stop(); }

void EngineNetwork::Stop() {
  context_.outbound.Close();
  if (outbound_thread_.joinable()) outbound_thread_.join();
  tick_thread_.request_stop();
  if (tick_thread_.joinable()) tick_thread_.join();
  stream_.Stop();
  server_.Stop();
  requests_.FailAll(absl::CancelledError("the network is stopping"), /*stopping=*/true);
}

void EngineNetwork::RunOutbound() {
  while (const std::optional<OutboundItem> item = context_.outbound.Pop()) {
    if (item->origin.kind == Origin::kPeer) {
      gossip_.OnAccepted(*item);
    } else {
      const SteadyTime now = context_.clock.Steady();
      {
        std::lock_guard lock(mutex_);
        if (item->block != nullptr) own_items_.Add(item->block, now);
        for (const SignedVotePtr& vote : item->votes) own_items_.Add(vote, now);
      }
      if (item->block != nullptr) ++blocks_out_;
      votes_out_ += item->votes.size();
      const uint64_t stream = stream_.attached();
      if (item->block != nullptr) PublishBlock(stream, item->block);
      PublishVotes(stream, item->votes);
    }
    if (item->block != nullptr) RefreshChain();
  }
}

void EngineNetwork::RunTicks(std::stop_token stop) {
  do {
    const SteadyTime now = context_.clock.Steady();
    stream_.Tick(now);
    gossip_.Tick(now);
    requests_.Tick(now);
    RefreshChain();
  } while (context_.clock.WaitUntil(context_.clock.Steady() + kTick, stop));
}

v1::BeaconHello EngineNetwork::Hello() {
  return MakeBeaconHello(Validators(context_), context_.spec.slot_duration_ms, OwnChain());
}

void EngineNetwork::OnAttached(uint64_t stream, const EngineInfo&) {
  peers_.Reset(stream);
  std::lock_guard lock(mutex_);
  told_.reset();  // the chain may have moved on since the hello
}

void EngineNetwork::OnDetached(uint64_t) {
  peers_.Reset(0);
  gossip_.Reset();
  requests_.FailAll(absl::UnavailableError("the network engine was lost"), /*stopping=*/false);
  std::lock_guard lock(mutex_);
  earlier_bytes_in_ += counts_.bytes_in();
  earlier_bytes_out_ += counts_.bytes_out();
  counts_.Clear();
}

absl::Status EngineNetwork::OnMessage(uint64_t stream, const v1::EngineToBeacon& message) {
  switch (message.content_case()) {
    case v1::EngineToBeacon::kConnected:
      return OnConnected(stream, message.connected());
    case v1::EngineToBeacon::kStatus:
      return OnStatus(message.status());
    case v1::EngineToBeacon::kDisconnected:
      return OnDisconnected(message.disconnected());
    case v1::EngineToBeacon::kItems:
      return gossip_.OnItems(stream, message.items());
    case v1::EngineToBeacon::kRequest:
      return OnRequest(message.request());
    case v1::EngineToBeacon::kAnswer:
      return requests_.OnAnswer(message.answer());
    case v1::EngineToBeacon::kReport:
      OnReport(message.report());
      break;
    default:
      break;
  }
  return absl::OkStatus();
}

absl::Status EngineNetwork::OnConnected(uint64_t stream, const v1::PeerConnected& message) {
  const absl::StatusOr<NamedPeer> named = FromProto(message);
  if (!named.ok()) return named.status();
  if (absl::Status status = peers_.Add(*named); !status.ok()) return status;
  peers_.EndOtherChains([this](const ClaimedChain& chain) { return IsOtherChain(chain); }, message.peer());
  PublishAgain(stream);
  return absl::OkStatus();
}

absl::Status EngineNetwork::OnStatus(const v1::PeerStatusUpdate& message) {
  const absl::StatusOr<ClaimedChain> chain = FromProto(message.status());
  if (!chain.ok()) return chain.status();
  if (absl::Status status = peers_.Update(message.peer(), *chain); !status.ok()) return status;
  peers_.EndOtherChains([this](const ClaimedChain& claimed) { return IsOtherChain(claimed); }, message.peer());
  return absl::OkStatus();
}

absl::Status EngineNetwork::OnDisconnected(const v1::PeerDisconnected& message) {
  const absl::StatusOr<EnginePeerPtr> peer = peers_.Remove(message.peer(), message.reason());
  if (!peer.ok()) return peer.status();
  if (*peer != nullptr) requests_.OnGone((*peer)->id);
  return absl::OkStatus();
}

absl::Status EngineNetwork::OnRequest(const v1::BlockRequest& message) {
  const absl::StatusOr<EnginePeerPtr> peer = peers_.OfHandle(message.peer());
  if (!peer.ok()) return absl::InvalidArgumentError(absl::StrCat("request.", peer.status().message()));
  absl::StatusOr<AskedBlocks> asked = FromProto(message);
  if (!asked.ok()) return asked.status();
  if (*peer != nullptr) server_.OnRequest(*peer, message.id(), *std::move(asked));
  return absl::OkStatus();
}

void EngineNetwork::OnReport(const v1::EngineReport& report) {
  peers_.Report(report);
  std::lock_guard lock(mutex_);
  counts_ = report.counts();
}

void EngineNetwork::PublishBlock(uint64_t stream, const SignedBlockPtr& block) {
  stream_.Send(stream, [&](EngineOutbox& outbox) { outbox.AddBlock(SerializeBlock(*block)); });
}

void EngineNetwork::PublishVotes(uint64_t stream, const std::vector<SignedVotePtr>& votes) {
  stream_.Send(stream, [&](EngineOutbox& outbox) {
    for (const SignedVotePtr& vote : votes) outbox.AddVote(SerializeVote(*vote));
  });
}

void EngineNetwork::PublishAgain(uint64_t stream) {
  const SteadyTime now = context_.clock.Steady();
  std::vector<SignedBlockPtr> blocks;
  std::vector<SignedVotePtr> votes;
  {
    std::lock_guard lock(mutex_);
    if (std::exchange(published_again_, stream) == stream) return;
    blocks = own_items_.Blocks(now);
    votes = own_items_.Votes(now);
  }
  for (const SignedBlockPtr& block : blocks) PublishBlock(stream, block);
  PublishVotes(stream, votes);
}

void EngineNetwork::RefreshChain() {
  const uint64_t stream = stream_.attached();
  if (stream == 0) return;
  bool finalized_more = false;
  {
    std::lock_guard lock(mutex_);  // until it is sent, so that none overtakes a newer one
    const ClaimedChain chain = OwnChain();
    if (told_ == chain) return;
    finalized_more = !told_.has_value() || told_->finalized != chain.finalized;
    told_ = chain;
    stream_.Send(stream, [&](EngineOutbox& outbox) { outbox.SetStatus(ToProto(chain)); });
  }
  if (finalized_more) peers_.EndOtherChains([this](const ClaimedChain& claimed) { return IsOtherChain(claimed); });
}

ClaimedChain EngineNetwork::OwnChain() const {
  return context_.chain.Read(
      [](const LeanChain& chain) { return ClaimedChain{.finalized = chain.finalized(), .head = chain.head()}; });
}

bool EngineNetwork::IsOtherChain(const ClaimedChain& claimed) const {
  const Checkpoint& theirs = claimed.finalized;
  if (theirs.slot == 0 && theirs.root.IsZero()) return false;  // how some say that nothing is finalized yet
  return context_.chain.Read([&](const LeanChain& chain) {
    if (theirs.slot > chain.finalized().slot) return false;
    const std::optional<Root> ours = chain.CanonicalRoot(theirs.slot);
    return ours != theirs.root;
  });
}

void EngineNetwork::BlocksByRoot(uint64_t peer, std::vector<Root> roots, Done done) {
  if (absl::Status status = CheckRootsAsked(roots.size()); !status.ok()) return done(status);
  Ask(peer, {.roots = std::move(roots)}, std::move(done));
}

void EngineNetwork::BlocksByRange(uint64_t peer, uint64_t first_slot, uint64_t count, Done done) {
  if (absl::Status status = CheckSlotsAsked(count); !status.ok()) return done(status);
  Ask(peer, {.roots = {}, .first_slot = first_slot, .count = count}, std::move(done));
}

void EngineNetwork::Ask(uint64_t peer, AskedBlocks asked, Done done) {
  const EnginePeerPtr asked_peer = peers_.Find(peer);
  if (asked_peer == nullptr) return done(absl::NotFoundError("the peer is gone"));
  requests_.Ask(asked_peer, std::move(asked), std::move(done));
}

std::string EngineNetwork::node_id() const {
  const std::optional<EngineInfo> info = stream_.info();
  return info.has_value() ? info->peer_id : "";
}

std::string EngineNetwork::peer_address() const {
  const std::optional<EngineInfo> info = stream_.info();
  return info.has_value() ? absl::StrJoin(info->addresses, ",") : "";
}

NetworkCounts EngineNetwork::counts() const {
  NetworkCounts counts{
      .traffic = peers_.traffic(), .duplicates = gossip_.duplicates(), .offences = {}, .bans = peers_.bans()};
  for (const Offence offence : kOffences) counts.offences[static_cast<size_t>(offence)] = peers_.offences(offence);
  counts.traffic.blocks_out = blocks_out_;
  counts.traffic.votes_out = votes_out_;
  counts.engine_connected = stream_.attached() != 0;
  counts.engine_restarts = stream_.lost();
  std::lock_guard lock(mutex_);
  counts.traffic.bytes_in = earlier_bytes_in_ + counts_.bytes_in();
  counts.traffic.bytes_out = earlier_bytes_out_ + counts_.bytes_out();
  return counts;
}

}  // namespace lean::beacon
