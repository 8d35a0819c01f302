#include "beacon/network/network.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "beacon/network/engine/contract.h"
#include "beacon/network/engine/engine_stream.h"
#include "beacon/network/engine/item_codec.h"
#include "common/rpc/wire/convert.h"
#include "common/ssz/ssz.h"
#include "common/status/status_macros.h"

namespace lean::beacon {
namespace {

constexpr std::chrono::milliseconds kTick{50};

// Own items of this many slots are published again. The chain bounds their number.
constexpr int kPublishAgainSlots = 2;

// Adds the counts that continue over all engines.
void Add(const v1::EngineCounts& counts, v1::EngineCounts* sum) {
  sum->set_bytes_in(sum->bytes_in() + counts.bytes_in());
  sum->set_bytes_out(sum->bytes_out() + counts.bytes_out());
  sum->set_items_expired(sum->items_expired() + counts.items_expired());
  sum->set_items_dropped(sum->items_dropped() + counts.items_dropped());
  sum->set_items_malformed(sum->items_malformed() + counts.items_malformed());
  sum->set_unpublished(sum->unpublished() + counts.unpublished());
  sum->set_unsent(sum->unsent() + counts.unsent());
  sum->set_dials_failed(sum->dials_failed() + counts.dials_failed());
  sum->set_dials_timed_out(sum->dials_timed_out() + counts.dials_timed_out());
  sum->set_arrivals_failed(sum->arrivals_failed() + counts.arrivals_failed());
  sum->set_arrivals_timed_out(sum->arrivals_timed_out() + counts.arrivals_timed_out());
}

absl::Status CheckCount(uint64_t count, absl::string_view what, uint64_t most) {
  if (count >= 1 && count <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(count, " ", what, ", expected 1 to ", most));
}

GossipSink SinkOf(ChainService& chain) {
  return {.block =
              [&chain](SignedBlockPtr block, const Origin& origin, std::function<void(SubmitOutcome)> done) {
                chain.SubmitBlock(std::move(block), origin, std::move(done));
              },
          .votes =
              [&chain](std::vector<SignedVotePtr> votes, const Origin& origin,
                       std::function<void(std::vector<SubmitOutcome>)> done) {
                chain.SubmitVotes(std::move(votes), origin, std::move(done));
              }};
}

}  // namespace

Network::Network(const std::string& engine, const OpenEngineTransport& open, const NetworkContext& context)
    : Network(
          [&](EngineLinkOwner& owner) {
            return std::make_unique<EngineStream>(engine, open, owner, context.clock, context.log);
          },
          context, BlockServer::kThreads) {
  outbound_thread_ = std::thread([this] {
    while (const std::optional<OutboundItem> item = context_.outbound.Pop()) HandleOutbound(*item);
  });
  if (engine.empty()) return;
  context_.log->info("network_started engine={}", engine);
  link_->Start();
  tick_thread_ = std::jthread([this](const std::stop_token& stop) { RunTicks(stop); });
}

Network::Network(const MakeEngineLink& make_link, const NetworkContext& context)
    : Network(make_link, context, /*threads=*/0) {
  link_->Start();
}

Network::Network(const MakeEngineLink& make_link, const NetworkContext& context, size_t threads)
    : context_(context),
      peers_(
          context.clock, context.log, send_, [this](const ClaimedChain& claimed) { return IsOtherChain(claimed); },
          context.events),
      gossip_(SinkOf(context.chain), send_, peers_, context.clock, GossipLimits::For(context.validators),
              context.items),
      requests_(send_, peers_, context.clock),
      server_(
          context.blocks, peers_, send_, [this] { return link_->waiting_answer_bytes(); }, threads),
      link_(make_link(*this)) {}

Network::~Network() { Stop(); }

void Network::Stop() {
  context_.outbound.Close();
  if (outbound_thread_.joinable()) outbound_thread_.join();
  tick_thread_.request_stop();
  if (tick_thread_.joinable()) tick_thread_.join();
  link_->Stop();
  server_.Stop();
  requests_.FailAll(absl::CancelledError("the network is stopping"), /*stopping=*/true);
}

void Network::HandleOutbound(const OutboundItem& item) {
  if (item.origin.kind == Origin::kPeer) {
    gossip_.OnAccepted(item);
  } else {
    {
      MutexLock lock(mutex_);
      DropOldLocked();
      own_items_.emplace_back(context_.clock.Steady(), item);
      blocks_out_ += item.block != nullptr ? 1 : 0;
      votes_out_ += item.votes.size();
    }
    Publish(link_->attached(), item);
  }
  if (item.block != nullptr) RefreshChain();
}

bool Network::Step() {
  if (const std::optional<OutboundItem> item = context_.outbound.TryPop()) {
    HandleOutbound(*item);
    return true;
  }
  return server_.RunOne();
}

void Network::RunTicks(const std::stop_token& stop) {
  SteadyTime now = context_.clock.Steady();
  do {
    now = context_.clock.Steady();
    Tick();
  } while (context_.clock.WaitUntil(now + kTick, stop));
}

void Network::Tick() {
  const SteadyTime now = context_.clock.Steady();
  link_->Tick(now);
  peers_.Tick(now);
  gossip_.Tick(now);
  requests_.Tick(now);
  RefreshChain();
}

v1::BeaconHello Network::Hello() {
  v1::BeaconHello hello;
  hello.set_contract_version(kContractVersion);
  hello.set_validator_count(context_.validators);
  hello.set_slot_duration_ms(static_cast<uint64_t>(context_.slot.count()));
  *hello.mutable_status() = ToProto(OwnChain());
  return hello;
}

void Network::OnAttached(uint64_t stream) {
  peers_.Reset(stream);
  gossip_.Reset(stream);
  MutexLock lock(mutex_);
  told_.reset();  // the chain may have changed since the hello
}

void Network::OnDetached(uint64_t) {
  peers_.Reset(0);
  gossip_.Reset(0);
  requests_.FailAll(absl::UnavailableError("the network engine was lost"), /*stopping=*/false);
  MutexLock lock(mutex_);
  Add(counts_, &earlier_counts_);
  counts_.Clear();
}

absl::Status Network::OnMessage(uint64_t stream, const v1::EngineToBeacon& message) {
  switch (message.content_case()) {
    case v1::EngineToBeacon::kConnected: {
      const absl::Status status = peers_.OnConnected(message.connected());
      if (status.ok()) PublishAgain(stream);
      return status;
    }
    case v1::EngineToBeacon::kStatus:
      return peers_.OnStatus(message.status());
    case v1::EngineToBeacon::kDisconnected: {
      const absl::StatusOr<PeerPtr> gone = peers_.OnDisconnected(message.disconnected());
      if (gone.ok() && *gone != nullptr) requests_.OnGone((*gone)->id);
      if (peers_.size() == 0) {
        // What is published now reaches nobody.
        MutexLock lock(mutex_);
        published_again_ = 0;
      }
      return gone.status();
    }
    case v1::EngineToBeacon::kItems:
      if (context_.on_items != nullptr) context_.on_items(message.items());
      return gossip_.OnItems(stream, message.items());
    case v1::EngineToBeacon::kRequest:
      return server_.OnRequest(message.request());
    case v1::EngineToBeacon::kAnswer:
      return requests_.OnAnswer(message.answer());
    case v1::EngineToBeacon::kReport: {
      const v1::EngineReport report = Checked(message.report());
      peers_.OnReport(report);
      MutexLock lock(mutex_);
      counts_ = report.counts();
      return absl::OkStatus();
    }
    default:
      return absl::OkStatus();  // of a newer engine
  }
}

void Network::Publish(uint64_t stream, const OutboundItem& item) {
  if (stream == 0) return;  // no engine is attached
  v1::BeaconToEngine message;
  if (item.block != nullptr) message.mutable_publish()->add_blocks(ssz::SerializeToString(*item.block));
  for (const SignedVotePtr& vote : item.votes) {
    message.mutable_publish()->add_votes(ssz::SerializeToString(*vote));
    if (message.publish().votes_size() == Outbox::kMaxVotesInMessage) send_(stream, std::exchange(message, {}));
  }
  if (message.has_publish()) send_(stream, std::move(message));
}

void Network::PublishAgain(uint64_t stream) {
  std::deque<std::pair<SteadyTime, OutboundItem>> items;
  {
    MutexLock lock(mutex_);
    if (std::exchange(published_again_, stream) == stream) return;
    DropOldLocked();
    items = own_items_;
  }
  for (const auto& [made, item] : items) Publish(stream, item);
}

metrics::FootprintList Network::queues() const {
  metrics::FootprintList all = gossip_.queues();
  metrics::Append(all, {requests_.queue(), server_.queue(), link_->queue()});
  return all;
}

metrics::FootprintList Network::caches() const {
  metrics::FootprintList all = peers_.caches();
  MutexLock lock(mutex_);
  metrics::Footprint own{.name = "own_items", .items = own_items_.size(), .bytes = 0};
  for (const auto& [made, item] : own_items_) {
    own.bytes += item.block != nullptr ? BytesOf(*item.block) : item.votes.size() * sizeof(SignedAttestation);
  }
  all.push_back(std::move(own));
  return all;
}

void Network::DropOldLocked() {
  const SteadyTime begin = context_.clock.Steady() - kPublishAgainSlots * context_.slot;
  while (!own_items_.empty() && own_items_.front().first < begin) own_items_.pop_front();
}

void Network::RefreshChain() {
  const uint64_t stream = link_->attached();
  if (stream == 0) return;
  bool finalized_more = false;
  {
    MutexLock lock(mutex_);  // held until it is sent, so that statuses stay in order
    const ClaimedChain chain = OwnChain();
    if (told_ == chain) return;
    finalized_more = !told_.has_value() || told_->finalized != chain.finalized;
    told_ = chain;
    v1::BeaconToEngine message;
    *message.mutable_status() = ToProto(chain);
    send_(stream, std::move(message));
  }
  if (finalized_more) peers_.EndOtherChains();
}

ClaimedChain Network::OwnChain() const {
  return context_.chain.Read(
      [](const LeanChain& chain) { return ClaimedChain{.finalized = chain.finalized(), .head = chain.head()}; });
}

bool Network::IsOtherChain(const ClaimedChain& claimed) const {
  const Checkpoint& theirs = claimed.finalized;
  if (theirs.slot == 0 && theirs.root.IsZero()) return false;  // some clients report zeros until something is finalized
  return context_.chain.Read([&](const LeanChain& chain) {
    if (theirs.slot > chain.finalized().slot) return false;
    const std::optional<Root> ours = chain.CanonicalRoot(theirs.slot);
    return ours != theirs.root;
  });
}

void Network::BlocksByRoot(uint64_t peer, std::vector<Root> roots, Done done) {
  RETURN_IF_ERROR(CheckCount(roots.size(), "roots", kMaxRootsAsked), done(_));
  requests_.Ask(peer, {.roots = std::move(roots)}, std::move(done));
}

void Network::BlocksByRange(uint64_t peer, uint64_t first_slot, uint64_t count, Done done) {
  RETURN_IF_ERROR(CheckCount(count, "slots", kMaxSlotsAsked), done(_));
  requests_.Ask(peer, {.roots = {}, .first_slot = first_slot, .count = count}, std::move(done));
}

v1::NetworkView Network::View() const {
  const v1::EngineHello hello = link_->hello();
  v1::NetworkView view;
  view.set_engine(hello.agent());
  view.set_trouble(link_->trouble());
  view.set_peer_id(hello.peer_id());
  view.set_enr(hello.enr());
  *view.mutable_addresses() = hello.addresses();
  view.set_topic_network(hello.network());
  return view;
}

NetworkCounts Network::counts() const {
  NetworkCounts counts{.in = gossip_.counts(),
                       .peers = peers_.counts(),
                       .requests_in = server_.requests(),
                       .requests_out = requests_.requests(),
                       .engine_connected = link_->attached() != 0,
                       .engine_lost = link_->lost()};
  MutexLock lock(mutex_);
  counts.blocks_out = blocks_out_;
  counts.votes_out = votes_out_;
  counts.engines = earlier_counts_;
  Add(counts_, &counts.engines);
  return counts;
}

}  // namespace lean::beacon
