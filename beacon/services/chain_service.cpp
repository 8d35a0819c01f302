#include "beacon/services/chain_service.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <future>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"

namespace lean::beacon {
namespace {

SubmitOutcome Unanswered(SubmitOutcome::Status status, absl::string_view reason, absl::string_view message) {
  return {.status = status, .reason = std::string(reason), .message = std::string(message), .root = {}};
}

SubmitOutcome ShuttingDown() {
  return Unanswered(SubmitOutcome::kShuttingDown, reason::kShuttingDown, "the beacon is stopping");
}

AdmissionLimits LimitsOf(const ChainServiceOptions& options) {
  return {.total = {options.max_items_in_flight, options.max_bytes_in_flight},
          .peers = {options.max_items_in_flight / 4 * 3, options.max_bytes_in_flight / 4 * 3},
          .one_peer = {options.max_items_per_peer, options.max_bytes_per_peer}};
}

// Restored states that may wait for the loop: for the chain itself and for peers' blocks.
constexpr size_t kMaxGivenStates = 2 * StateRebuilderOptions().max_of_a_kind;

std::unique_ptr<StateRebuilder> MakeRebuilder(const StateSource* source, StateRebuilder::BranchOf branch_of,
                                              Clock& clock, const std::shared_ptr<spdlog::logger>& log) {
  if (source == nullptr) return nullptr;
  return std::make_unique<StateRebuilder>(*source, std::move(branch_of), clock, log, StateRebuilderOptions());
}

}  // namespace

ChainService::ChainService(LeanChain chain, std::unique_ptr<SignatureVerifier> verifier,
                           const ChainServiceContext& context, const ChainServiceOptions& options)
    : context_(context),
      verifier_(std::move(verifier)),
      chain_(std::move(chain)),
      seen_votes_(chain_.validator_count()),
      clock_evidence_(seen_votes_, context.slot_clock, chain_.validator_count()),
      recent_votes_(chain_.validator_count()),
      writer_({.chain = chain_,
               .mutex = mutex_,
               .seen_votes = seen_votes_,
               .outbound = context.outbound,
               .clock = context.clock,
               .slot_clock = context.slot_clock,
               .log = context.log,
               .observer = context.observer,
               .want = context.want,
               .want_state = WantState(),
               .events = context.events,
               .metrics = context.metrics},
              options.writer),
      admission_(LimitsOf(options)),
      rebuilder_(MakeRebuilder(
          context.states,
          [this](const Root& root) { return Read([&](const LeanChain& c) { return c.BranchOf(root); }); },
          context.clock, context.log)),
      // Each message counts as at least one item in flight. One more place is for the tick.
      channel_(options.max_items_in_flight + 1 + kMaxGivenStates),
      events_(writer_.events()),
      max_items_in_flight_(options.max_items_in_flight) {
  // A stored chain has votes from before the start of this process.
  for (uint64_t validator = 0; validator < chain_.validator_count(); ++validator) {
    if (const auto slot = chain_.LatestVoteSlot(validator)) seen_votes_.Add(*slot, validator, CurrentSlot());
  }
}

ChainService::~ChainService() { Stop(); }

void ChainService::Start() {
  if (rebuilder_ != nullptr) rebuilder_->Start();
  writer_.CatchUp();
  loop_ = std::thread([this] { RunLoop(); });
  ticker_ = std::jthread([this](std::stop_token stop) { RunTicker(stop); });
}

void ChainService::StartWithoutThreads() {
  has_threads_ = false;
  writer_.CatchUp();
}

void ChainService::Stop() {
  stopping_ = true;
  ticker_.request_stop();
  if (ticker_.joinable()) ticker_.join();
  // Drops the checks in progress and their AnswerOnce objects, which then answer kShuttingDown.
  verifier_->Stop();
  if (rebuilder_ != nullptr) rebuilder_->Stop();
  channel_.Close();
  if (loop_.joinable()) loop_.join();
  // Messages that wait because the service was never started.
  while (channel_.Pop().has_value()) {
  }
}

void ChainService::SubmitBlock(SignedBlockPtr block, BodySignatures body, const Origin& origin, BlockDone done) {
  if (stopping_) return done(ShuttingDown());
  if (std::optional<SubmitOutcome> refusal = NotAccepting()) return done(*std::move(refusal));
  const InFlight taken{.items = 1, .bytes = BytesOf(*block)};
  if (!admission_.TryAcquire(origin, taken)) return done(Overloaded(1, origin));
  auto reply = std::make_shared<BlockReply>(std::move(done), ShuttingDown(),
                                            [this, origin, taken] { admission_.Release(origin, taken); });
  auto known = [this](const Root& root) { return HasBlock(root); };
  auto checked = [this, block, origin, reply](const BlockVerdict& verdict) {
    if (auto outcome = EdgeOutcome(block, verdict, origin)) return reply->Answer(*std::move(outcome));
    channel_.TryPush(std::make_unique<Message>(
        CheckedBlock{.block = block, .root = verdict.root, .origin = origin, .reply = reply}));
  };
  if (verifier_->VerifyBlock(block, CurrentSlot(), known, checked, body) == PushResult::kFull) {
    reply->Answer(Overloaded(1, origin));
  }
}

void ChainService::SubmitHistory(std::vector<SignedBlockPtr> blocks, const Origin& origin, BlocksDone done) {
  const size_t count = blocks.size();
  if (count == 0) return done({});
  if (stopping_) return done(std::vector(count, ShuttingDown()));
  if (const std::optional<SubmitOutcome> refusal = NotAccepting()) return done(std::vector(count, *refusal));
  InFlight taken{.items = count, .bytes = 0};
  for (const SignedBlockPtr& block : blocks) taken.bytes += BytesOf(*block);
  if (!admission_.TryAcquire(origin, taken)) return done(std::vector(count, Overloaded(count, origin)));
  auto reply = std::make_shared<ListReply>(std::move(done), std::vector(count, ShuttingDown()),
                                           [this, origin, taken] { admission_.Release(origin, taken); });
  auto known = [this](const Root& root) { return HasBlock(root); };
  auto checked = [this, blocks, origin, reply](std::vector<BlockVerdict> verdicts) {
    channel_.TryPush(std::make_unique<Message>(
        CheckedHistory{.blocks = blocks, .verdicts = std::move(verdicts), .origin = origin, .reply = reply}));
  };
  if (verifier_->VerifyBlocks(std::move(blocks), CurrentSlot(), known, checked) == PushResult::kFull) {
    reply->Answer(std::vector(count, Overloaded(count, origin)));
  }
}

bool ChainService::HasBlock(const Root& root) const {
  return Read([&](const LeanChain& chain) { return chain.HasBlock(root); });
}

std::optional<SubmitOutcome> ChainService::EdgeOutcome(const SignedBlockPtr& block, const BlockVerdict& verdict,
                                                       const Origin& origin) const {
  if (verdict.already_known) {
    return SubmitOutcome{.status = SubmitOutcome::kAlreadyKnown, .reason = "", .message = "", .root = verdict.root};
  }
  if (verdict.equivocates) events_.Equivocation({.content = block, .root = verdict.root, .origin = origin});
  if (!verdict.refusal.has_value()) return std::nullopt;
  return Refuse({.content = block, .root = verdict.root, .origin = origin}, *verdict.refusal);
}

void ChainService::SubmitVotes(std::vector<SignedVotePtr> votes, const Origin& origin, VotesDone done) {
  const size_t count = votes.size();
  if (count == 0) return done({});
  if (stopping_) return done(std::vector(count, ShuttingDown()));
  if (const std::optional<SubmitOutcome> refusal = NotAccepting()) return done(std::vector(count, *refusal));
  if (count > max_items_in_flight_) {
    const std::string message = absl::StrCat(count, " votes at once, at most ", max_items_in_flight_, " are taken");
    return done(std::vector(count, Unanswered(SubmitOutcome::kRefused, reason::kTooLarge, message)));
  }
  const InFlight taken{.items = count, .bytes = count * BytesOf(*votes.front())};
  if (!admission_.TryAcquire(origin, taken)) return done(std::vector(count, Overloaded(count, origin)));
  auto reply = std::make_shared<ListReply>(std::move(done), std::vector(count, ShuttingDown()),
                                           [this, origin, taken] { admission_.Release(origin, taken); });
  SignatureVerifier::WantedVote wanted;  // our own clients may have our clock, so their votes prove nothing about it
  const SteadyTime came = context_.clock.Steady();
  if (origin.kind == Origin::kPeer) {
    wanted = [this, came](const Attestation& vote) {
      return clock_evidence_.IsWanted(vote.data.slot, vote.validator_id, came);
    };
  }
  auto checked = [this, votes, origin, came, reply](std::vector<VoteVerdict> verdicts) {
    for (size_t i = 0; i < votes.size() && origin.kind == Origin::kPeer; ++i) {
      const Attestation& vote = votes[i]->message;
      if (verdicts[i].right) clock_evidence_.Heard(vote.data.slot, vote.validator_id, came);
    }
    channel_.TryPush(std::make_unique<Message>(
        CheckedVotes{.votes = votes, .verdicts = std::move(verdicts), .origin = origin, .reply = reply}));
  };
  if (verifier_->VerifyVotes(std::move(votes), CurrentSlot(), checked, std::move(wanted)) == PushResult::kFull) {
    reply->Answer(std::vector(count, Overloaded(count, origin)));
  }
}

std::optional<SubmitOutcome> ChainService::NotAccepting() const {
  const absl::Status status = context_.observer == nullptr ? absl::OkStatus() : context_.observer->CanAccept();
  if (status.ok()) return std::nullopt;
  if (absl::IsResourceExhausted(status)) {
    return Unanswered(SubmitOutcome::kOverloaded, reason::kOverloaded, status.message());
  }
  return Unanswered(SubmitOutcome::kStorageFailed, reason::kStorageFailed, status.message());
}

SubmitOutcome ChainService::Overloaded(size_t items, const Origin& origin) const {
  events_.Overloaded(items, origin);
  return Unanswered(SubmitOutcome::kOverloaded, reason::kOverloaded, "too much is in flight; try again");
}

SubmitOutcome ChainService::Refuse(const WaitingItem& item, const Refusal& refusal) const {
  events_.Refused(item, refusal.reason, refusal.message);
  return {.status = SubmitOutcome::kRefused,
          .reason = std::string(refusal.reason),
          .message = refusal.message,
          .root = item.root};
}

void ChainService::RunLoop() {
  while (const std::optional<MessagePtr> message = channel_.Pop()) Take(**message);
}

void ChainService::Take(const Message& message) {
  if (stopping_) return;  // its AnswerOnce answers kShuttingDown
  if (std::holds_alternative<Ticked>(message)) tick_queued_ = false;
  writer_.CatchUp();
  std::visit([this](const auto& content) { Handle(content); }, message);
}

bool ChainService::Step() {
  if (verifier_->RunOne()) return true;
  if (rebuilder_ != nullptr && rebuilder_->RunOne()) return true;
  const std::optional<MessagePtr> message = channel_.TryPop();
  if (message.has_value()) Take(**message);
  return message.has_value();
}

void ChainService::Tick() {
  if (!tick_queued_.exchange(true)) channel_.TryPush(std::make_unique<Message>(Ticked{}));
}

void ChainService::Handle(const CheckedBlock& checked) {
  if (context_.events != nullptr && checked.origin.kind == Origin::kPeer) {
    context_.events->Add(GossipBlockSeen{.id = {.root = checked.root, .slot = checked.block->message.block.slot},
                                         .peer = checked.origin.peer});
  }
  SubmitOutcome outcome = writer_.ImportBlock(checked.block, checked.root, checked.origin);
  recent_votes_.AddBlock(checked.block, outcome.status == SubmitOutcome::kAccepted, CurrentSlot());
  checked.reply->Answer(std::move(outcome));
}

void ChainService::Handle(const CheckedHistory& checked) {
  std::vector<SubmitOutcome> outcomes;
  for (size_t i = 0; i < checked.blocks.size(); ++i) {
    if (stopping_) return;
    writer_.CatchUp();  // because a long import takes time
    const SignedBlockPtr& block = checked.blocks[i];
    std::optional<SubmitOutcome> outcome = EdgeOutcome(block, checked.verdicts[i], checked.origin);
    if (!outcome.has_value()) {
      outcome = writer_.ImportBlock(block, checked.verdicts[i].root, checked.origin);
      recent_votes_.AddBlock(block, outcome->status == SubmitOutcome::kAccepted, CurrentSlot());
    }
    outcomes.push_back(*std::move(outcome));
  }
  checked.reply->Answer(std::move(outcomes));
}

void ChainService::Handle(const CheckedVotes& checked) {
  std::vector<SignedVotePtr> votes;
  std::vector<Root> roots;
  for (size_t i = 0; i < checked.votes.size(); ++i) {
    const VoteVerdict& verdict = checked.verdicts[i];
    if (verdict.refusal.has_value()) continue;
    if (verdict.equivocates) {
      events_.Equivocation({.content = checked.votes[i], .root = verdict.root, .origin = checked.origin});
    }
    recent_votes_.Add(checked.votes[i], verdict.root, CurrentSlot());
    votes.push_back(checked.votes[i]);
    roots.push_back(verdict.root);
  }
  std::vector<SubmitOutcome> imported = writer_.ImportVotes(votes, roots, checked.origin);
  std::vector<SubmitOutcome> outcomes;
  size_t next = 0;
  for (size_t i = 0; i < checked.votes.size(); ++i) {
    const VoteVerdict& verdict = checked.verdicts[i];
    outcomes.push_back(
        verdict.refusal.has_value()
            ? Refuse({.content = checked.votes[i], .root = verdict.root, .origin = checked.origin}, *verdict.refusal)
            : std::move(imported[next++]));
    outcomes.back().new_signature = verdict.computed;
  }
  checked.reply->Answer(std::move(outcomes));
}

// Waits from interval to interval, also before genesis, so that a change of the wall clock is noticed within one.
void ChainService::RunTicker(std::stop_token stop) {
  std::optional<SteadyTime> last_tick;
  while (true) {
    const int64_t now = context_.clock.WallMs();
    const SteadyTime steady_now = context_.clock.Steady();
    const SlotTime time = context_.slot_clock.At(now);
    const int64_t next = context_.slot_clock.StartMs(time.slot, time.interval + 1);
    if (!context_.clock.WaitUntil(steady_now + std::chrono::milliseconds(next - now), stop)) return;
    Tick();
    const SteadyTime tick = context_.clock.Steady();
    if (context_.metrics != nullptr && last_tick.has_value()) {
      context_.metrics->tick.Observe(SecondsOf(tick - *last_tick));
    }
    last_tick = tick;
  }
}

std::function<void(const WantedState&)> ChainService::WantState() {
  if (context_.states == nullptr) return nullptr;
  return [this](const WantedState& wanted) {
    const StateAsker asker = wanted.is_head || wanted.origin.kind == Origin::kLocal
                                 ? StateAsker{.kind = StateAsker::kChain}
                                 : StateAsker{.kind = StateAsker::kPeer, .peer = wanted.origin.peer};
    rebuilder_->Request(wanted.root, asker, [this, root = wanted.root](const absl::StatusOr<StatePtr>& state) {
      channel_.TryPush(std::make_unique<Message>(GivenState{.root = root, .state = state}));
    });
  };
}

absl::StatusOr<StatePtr> ChainService::AwaitState(const Root& root, const StateAsker& asker) const {
  if (rebuilder_ == nullptr) return absl::NotFoundError("the state is not in memory, and nothing is kept on a disk");
  const auto answer = std::make_shared<std::promise<absl::StatusOr<StatePtr>>>();
  rebuilder_->Request(root, asker, [answer](const absl::StatusOr<StatePtr>& state) { answer->set_value(state); });
  std::future<absl::StatusOr<StatePtr>> state = answer->get_future();
  while (!has_threads_ && state.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
    rebuilder_->RunOne();
  }
  return state.get();
}

absl::StatusOr<StatePtr> ChainService::StateOf(const Root& root) const {
  StatePtr state = Read([&](const LeanChain& chain) { return chain.StateOf(root); });
  if (state != nullptr) return state;
  return AwaitState(root, {.kind = StateAsker::kCaller});
}

template <typename Prepare>
auto ChainService::WithState(const Prepare& prepare) const {
  auto snapshot = Read([&](const LeanChain& chain) { return prepare(chain, nullptr); });
  const std::optional<Root> needed = NeededState(snapshot.status());
  if (!needed.has_value()) return snapshot;
  const absl::StatusOr<StatePtr> state = AwaitState(*needed, {.kind = StateAsker::kChain});
  if (!state.ok()) return snapshot;
  return Read([&](const LeanChain& chain) { return prepare(chain, *state); });
}

absl::StatusOr<BuiltBlock> ChainService::BuildBlock(uint64_t slot, uint64_t proposer) const {
  const SteadyTime start = context_.clock.Steady();
  absl::StatusOr<BuiltBlock> built = TryBuildBlock(slot, proposer);
  if (context_.metrics != nullptr) {
    (built.ok() ? context_.metrics->blocks_built : context_.metrics->blocks_not_built).Add();
    if (built.ok()) context_.metrics->block_building.Observe(SecondsOf(context_.clock.Steady() - start));
  }
  return built;
}

absl::StatusOr<BuiltBlock> ChainService::TryBuildBlock(uint64_t slot, uint64_t proposer) const {
  ASSIGN_OR_RETURN(const ProposalSnapshot snapshot, WithState([&](const LeanChain& chain, const StatePtr& state) {
                     return chain.PrepareProposal(slot, state);
                   }));
  return beacon::BuildBlock(snapshot, slot, proposer);
}

absl::StatusOr<AttestationData> ChainService::BuildVote(uint64_t slot) const {
  ASSIGN_OR_RETURN(const VoteSnapshot snapshot, WithState([&](const LeanChain& chain, const StatePtr& state) {
                     return chain.PrepareVote(slot, state);
                   }));
  return beacon::BuildVote(snapshot, slot);
}

int64_t ChainService::CurrentSlot() const { return writer_.CurrentSlot(); }

ClockStatus ChainService::clock_status() const {
  const int64_t wall_ms = context_.clock.WallMs();
  const int64_t slot = context_.slot_clock.At(wall_ms).slot;
  ClockStatus status{.usable = true, .message = {}, .verdict = clock_evidence_.Judge(wall_ms, context_.clock.Steady())};
  const ClockVerdict& verdict = status.verdict;
  if (verdict.wrong) {
    status.usable = false;
    status.message = absl::StrCat("by this machine's clock it is slot ", slot, ", but of ", verdict.heard,
                                  " validators that are heard ", verdict.off, " sign for other slots, most of them ",
                                  std::abs(verdict.slots_off), " slots ", verdict.slots_off < 0 ? "behind" : "ahead",
                                  ": set the clock");
    return status;
  }
  const uint64_t head_slot = Read([](const LeanChain& chain) { return chain.head().slot; });
  if (static_cast<int64_t>(head_slot) > std::max<int64_t>(slot, 0) + 1) {
    status.usable = false;
    status.message = absl::StrCat("by this machine's clock it is slot ", slot, ", but the head has slot ", head_slot,
                                  ": the clock is behind, or was ahead when that block was made");
  }
  return status;
}

ChainService::QueueSizes ChainService::queue_sizes() const {
  const InFlight in_flight = admission_.used();
  return {.in_flight_items = in_flight.items,
          .in_flight_bytes = in_flight.bytes,
          .waiting_blocks = writer_.waiting_blocks(),
          .waiting_votes = writer_.waiting_votes()};
}

metrics::FootprintList ChainService::queues() const {
  const InFlight in_flight = admission_.used();
  metrics::FootprintList all = {{.name = "in_flight", .items = in_flight.items, .bytes = in_flight.bytes}};
  metrics::Append(all, writer_.queues());
  metrics::Append(all, verifier_->queues());
  if (rebuilder_ != nullptr) all.push_back(rebuilder_->queue());
  return all;
}

metrics::FootprintList ChainService::caches() const {
  metrics::FootprintList all = Read([](const LeanChain& chain) { return chain.footprints(); });
  metrics::Append(all, verifier_->caches());
  metrics::Append(all, {seen_votes_.footprint(), recent_votes_.footprint()});
  if (rebuilder_ != nullptr) all.push_back(rebuilder_->cache());
  return all;
}

}  // namespace lean::beacon
