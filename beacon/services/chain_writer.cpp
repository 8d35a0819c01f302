#include "beacon/services/chain_writer.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <iterator>
#include <limits>
#include <map>
#include <utility>

#include "absl/status/statusor.h"
#include "beacon/chain/chain_error.h"
#include "common/status/status_macros.h"

namespace lean::beacon {
namespace {

int64_t SlotOfTime(const LeanChain& chain) {
  // Before genesis, the time of a chain is 0 as well.
  return chain.time_intervals() == 0 ? std::numeric_limits<int64_t>::min() : static_cast<int64_t>(chain.current_slot());
}

SubmitOutcome Outcome(SubmitOutcome::Status status, absl::string_view reason, absl::string_view message,
                      const Root& root) {
  return {.status = status, .reason = std::string(reason), .message = std::string(message), .root = root};
}

}  // namespace

ChainWriter::ChainWriter(const ChainWriterContext& context, const ChainWriterOptions& options)
    : context_(context),
      options_(options),
      events_(context.log, context.clock),
      waiting_(options.waiting),
      chain_slot_(SlotOfTime(context.chain)),
      finalized_slot_(static_cast<int64_t>(context.chain.finalized().slot)) {}

int64_t ChainWriter::CurrentSlot() const {
  const int64_t slot = context_.slot_clock.At(context_.clock.WallMs()).slot;
  const int64_t latest = std::max(slot + 1, finalized_slot_.load(std::memory_order_relaxed));
  return std::max(slot, std::min(latest, chain_slot_.load(std::memory_order_relaxed)));
}

void ChainWriter::CatchUp() {
  const uint64_t target = std::max(context_.slot_clock.IntervalsAt(context_.clock.WallMs()),
                                   context_.chain.finalized().slot * kIntervalsPerSlot);
  if (target + kIntervalsPerSlot < context_.chain.time_intervals()) SetTimeBack(target);
  const uint64_t start = context_.chain.time_intervals();
  if (caught_up_ && target > start + kIntervalsPerSlot) {
    events_.TimeJumped(start / kIntervalsPerSlot, target / kIntervalsPerSlot);
  }
  if (start < target) {
    const Checkpoint old_head = context_.chain.head();
    ChainEvents events;
    {
      WriterLock lock(context_.mutex);
      events = context_.chain.OnInterval(target);
    }
    HandleEvents(events, old_head);
  }
  caught_up_ = true;
  if (target == start) return;
  events_.LeftOut();
  chain_slot_ = SlotOfTime(context_.chain);
  for (DependencyQueue::Taken& taken : waiting_.TakeExpired(CurrentSlot())) HandleExpired(std::move(taken));
  ImportWaiting(waiting_.TakeForSlot(CurrentSlot()));
  WantHeadState();  // repeats a request that failed
  UpdateSizes();
}

void ChainWriter::SetTimeBack(uint64_t interval) {
  events_.TimeSetBack(context_.chain.current_slot(), interval / kIntervalsPerSlot);
  const Checkpoint old_head = context_.chain.head();
  ChainEvents events;
  {
    WriterLock lock(context_.mutex);
    events = context_.chain.SetTimeBack(interval);
  }
  chain_slot_ = SlotOfTime(context_.chain);
  HandleEvents(events, old_head);
  waiting_.SetTimeBack(CurrentSlot());
}

SubmitOutcome ChainWriter::ImportBlock(SignedBlockPtr block, const Root& root, const Origin& origin) {
  SubmitOutcome outcome = Process({.item = {.content = block, .root = root, .origin = origin}}, /*from_queue=*/false);
  if (outcome.status == SubmitOutcome::kAccepted) {
    if (!IsHistory(block->message.block.slot)) Publish({.block = std::move(block), .votes = {}, .origin = origin});
    ImportWaiting(waiting_.TakeForBlock(root));
  }
  UpdateSizes();
  return outcome;
}

bool ChainWriter::IsHistory(uint64_t slot) const {
  return static_cast<int64_t>(slot) + options_.waiting.expiry_slots <= CurrentSlot();
}

void ChainWriter::HandleExpired(DependencyQueue::Taken taken) {
  const WaitingItem item = taken.item;
  if (const auto* block = std::get_if<SignedBlockPtr>(&item.content)) {
    const auto slot = static_cast<int64_t>(item.slot());
    if (HasParentState((*block)->message.block.parent_root) && slot <= taken.arrival_slot + 1) {
      // A block that came a slot early waits for a slot longer, until it is history.
      taken.arrival_slot = std::max(taken.arrival_slot, slot);
      if (Process(std::move(taken), /*from_queue=*/true).status == SubmitOutcome::kAccepted) {
        ImportWaiting(waiting_.TakeForBlock(item.root));
      }
      return;
    }
  }
  events_.Dropped(item, "EXPIRED");
}

std::vector<SubmitOutcome> ChainWriter::ImportVotes(absl::Span<const SignedVotePtr> votes, absl::Span<const Root> roots,
                                                    const Origin& origin) {
  std::vector<SubmitOutcome> outcomes;
  std::vector<SignedVotePtr> accepted;
  for (size_t i = 0; i < votes.size(); ++i) {
    outcomes.push_back(
        Process({.item = {.content = votes[i], .root = roots[i], .origin = origin}}, /*from_queue=*/false));
    if (outcomes.back().status == SubmitOutcome::kAccepted) accepted.push_back(votes[i]);
  }
  FinishVotes(std::move(accepted), votes.size(), origin);
  UpdateSizes();
  return outcomes;
}

SubmitOutcome ChainWriter::Process(DependencyQueue::Taken taken, bool from_queue) {
  bool already_known = false;
  absl::Status status;
  if (const auto* block = std::get_if<SignedBlockPtr>(&taken.item.content)) {
    status = Apply(*block, taken.item, &already_known);
  } else {
    status = Apply(std::get<SignedVotePtr>(taken.item.content));
  }
  const Root root = taken.item.root;
  if (already_known) return Outcome(SubmitOutcome::kAlreadyKnown, "", "", root);
  if (status.ok()) return Outcome(SubmitOutcome::kAccepted, "", "", root);
  if (const std::optional<Wait> wait = WaitFor(status, taken.item)) {
    return Enqueue(std::move(taken), from_queue, *wait, status);
  }
  absl::string_view why = taken.item.is_block() ? reason::kInvalidTransition : reason::kInvalidVote;
  const std::optional<ChainErrorKind> kind = KindOf(status);
  if (kind == ChainErrorKind::kTooOld || kind == ChainErrorKind::kNeedsState) why = reason::kStale;
  events_.Refused(taken.item, why, status.message());
  return Outcome(SubmitOutcome::kRefused, why, status.message(), root);
}

absl::Status ChainWriter::Apply(const SignedBlockPtr& block, const WaitingItem& item, bool* already_known) {
  const Checkpoint old_head = context_.chain.head();
  ImportStopwatch watch(context_.clock);
  const ImportMode mode = IsHistory(block->message.block.slot) ? ImportMode::kHistory : ImportMode::kLive;
  absl::StatusOr<ChainEvents> events;
  {
    WriterLock lock(context_.mutex);
    events = context_.chain.OnBlock(block, mode, [&watch](TransitionStep step) { watch.Pass(step); });
  }
  watch.Stop();
  RETURN_IF_ERROR(events.status());
  *already_known = events->already_known;
  if (*already_known) return absl::OkStatus();
  events_.BlockAccepted(*block, item.root, item.origin,
                        std::chrono::duration_cast<std::chrono::milliseconds>(watch.total()), mode);
  const Block& content = block->message.block;
  if (context_.metrics != nullptr) {
    watch.Report(content.slot - context_.chain.SlotOf(content.parent_root).value_or(content.slot),
                 content.body.attestations.size(), *context_.metrics);
  }
  Tell(BlockImported{.id = {.root = item.root, .slot = content.slot},
                     .parent_root = content.parent_root,
                     .state_root = content.state_root,
                     .proposer_index = content.proposer_index,
                     .votes = content.body.attestations.size()});
  TellVotesOf(content, item.root);
  const int64_t slot = CurrentSlot();
  const Attestation& proposer_vote = block->message.proposer_attestation;
  context_.seen_votes.Add(proposer_vote.data.slot, proposer_vote.validator_id, slot);
  for (const Attestation& vote : block->message.block.body.attestations) {
    context_.seen_votes.Add(vote.data.slot, vote.validator_id, slot);
  }
  if (context_.observer != nullptr) {
    context_.observer->BlockImported(item.root, block, context_.chain.StateOf(item.root), context_.chain.known_votes());
  }
  HandleEvents(*events, old_head, mode);
  Prune();
  return absl::OkStatus();
}

void ChainWriter::TellVotesOf(const Block& block, const Root& root) const {
  if (context_.events == nullptr || block.body.attestations.empty()) return;
  std::vector<const Attestation*> votes;
  votes.reserve(block.body.attestations.size());
  for (const Attestation& vote : block.body.attestations) votes.push_back(&vote);
  Tell(BlockVotesTold{.block = {.root = root, .slot = block.slot}, .votes = GroupByHead(votes)});
}

absl::Status ChainWriter::Apply(const SignedVotePtr& vote) {
  const Checkpoint old_head = context_.chain.head();
  const SteadyTime start = context_.clock.Steady();
  absl::StatusOr<ChainEvents> events;
  {
    WriterLock lock(context_.mutex);
    events = context_.chain.OnVote(vote);
  }
  if (context_.metrics != nullptr) {
    context_.metrics->vote_validation.Observe(SecondsOf(context_.clock.Steady() - start));
  }
  RETURN_IF_ERROR(events.status());
  context_.seen_votes.Add(vote->message.data.slot, vote->message.validator_id, CurrentSlot());
  if (context_.observer != nullptr) context_.observer->VoteAccepted(vote);
  HandleEvents(*events, old_head);
  return absl::OkStatus();
}

bool ChainWriter::HasParentState(const Root& parent) const {
  return context_.chain.HasBlock(parent) && context_.chain.StateOf(parent) != nullptr;
}

void ChainWriter::AddState(const Root& root, const absl::StatusOr<StatePtr>& state) {
  if (state.ok()) {
    WriterLock lock(context_.mutex);
    context_.chain.AddState(*state);
  }
  std::vector<DependencyQueue::Taken> ready = waiting_.TakeForBlock(root);
  if (state.ok()) {
    ImportWaiting(std::move(ready));
    Prune();
  } else {
    for (const DependencyQueue::Taken& taken : ready) events_.Dropped(taken.item, "NO_STATE");
  }
  UpdateSizes();
}

void ChainWriter::WantHeadState() const {
  if (context_.want_state == nullptr || context_.chain.head_state() != nullptr) return;
  context_.want_state({.root = context_.chain.head().root, .origin = Origin::Local(), .is_head = true});
}

std::optional<ChainWriter::Wait> ChainWriter::WaitFor(const absl::Status& status, const WaitingItem& item) const {
  if (const std::optional<Root> missing = MissingRoot(status)) {
    const auto* block = std::get_if<SignedBlockPtr>(&item.content);
    const bool is_parent = block != nullptr && (*block)->message.block.parent_root == *missing;
    return Wait{*missing, is_parent ? reason::kUnknownParent : reason::kUnknownBlock};
  }
  if (const std::optional<Root> needed = NeededState(status); needed.has_value() && context_.want_state != nullptr) {
    return Wait{*needed, reason::kNeedsState};
  }
  if (KindOf(status) == ChainErrorKind::kFuture) {
    // The edge checks refuse items that are more than one slot early.
    return Wait{std::max(static_cast<int64_t>(item.slot()), CurrentSlot() + 1), reason::kEarly};
  }
  return std::nullopt;
}

SubmitOutcome ChainWriter::Enqueue(DependencyQueue::Taken taken, bool from_queue, const Wait& wait,
                                   const absl::Status& status) {
  const WaitingItem item = taken.item;
  const int64_t arrival_slot = from_queue ? taken.arrival_slot : CurrentSlot();
  std::vector<WaitingItem> displaced;
  const DependencyQueue::AddResult result =
      from_queue ? waiting_.AddBack(std::move(taken), wait.dependency, &displaced)
                 : waiting_.Add(std::move(taken.item), wait.dependency, CurrentSlot(), &displaced);
  for (const WaitingItem& other : displaced) events_.Dropped(other, "DISPLACED");
  if (result == DependencyQueue::AddResult::kFull) {
    events_.Refused(item, reason::kQueueFull, status.message());
    return Outcome(SubmitOutcome::kRefused, reason::kQueueFull, status.message(), item.root);
  }
  if (result == DependencyQueue::AddResult::kAdded) events_.Queued(item, wait.reason, status.message());
  if (wait.reason == reason::kNeedsState) {
    context_.want_state({.root = std::get<Root>(wait.dependency), .origin = item.origin});
  } else if (const Root* root = std::get_if<Root>(&wait.dependency)) {
    Want(item, *root, arrival_slot);
  }
  return Outcome(SubmitOutcome::kQueued, wait.reason, status.message(), item.root);
}

void ChainWriter::Want(const WaitingItem& item, const Root& root, int64_t arrival_slot) const {
  // A block that waits depends on another block, which was requested.
  if (context_.want == nullptr || waiting_.Contains(root)) return;
  context_.want({.root = root,
                 .origin = item.origin,
                 .wanted_by = item.root,
                 .expires_slot = arrival_slot + options_.waiting.expiry_slots});
}

// Not recursive, because a chain of waiting blocks may be as long as the queue.
void ChainWriter::ImportWaiting(std::vector<DependencyQueue::Taken> ready) {
  std::deque<DependencyQueue::Taken> work(std::make_move_iterator(ready.begin()), std::make_move_iterator(ready.end()));
  std::map<Origin, ReleasedVotes> released;
  while (!work.empty()) {
    DependencyQueue::Taken taken = std::move(work.front());
    work.pop_front();
    const WaitingItem item = taken.item;
    const bool accepted = Process(std::move(taken), /*from_queue=*/true).status == SubmitOutcome::kAccepted;
    if (const auto* vote = std::get_if<SignedVotePtr>(&item.content)) {
      ReleasedVotes& votes = released[item.origin];
      ++votes.count;
      if (accepted) votes.accepted.push_back(*vote);
    } else if (accepted) {
      if (!IsHistory(item.slot())) {
        Publish({.block = std::get<SignedBlockPtr>(item.content), .votes = {}, .origin = item.origin});
      }
      for (DependencyQueue::Taken& follower : waiting_.TakeForBlock(item.root)) work.push_back(std::move(follower));
    }
  }
  for (auto& [origin, votes] : released) FinishVotes(std::move(votes.accepted), votes.count, origin);
}

void ChainWriter::FinishVotes(std::vector<SignedVotePtr> accepted, size_t count, const Origin& origin) {
  events_.VotesAccepted(accepted.size(), count, origin);
  if (accepted.empty()) return;
  if (context_.events != nullptr) {
    VotesAccepted told;
    told.votes.reserve(accepted.size());
    for (const SignedVotePtr& vote : accepted) told.votes.push_back(vote->message);
    Tell(std::move(told));
  }
  Publish({.block = nullptr, .votes = std::move(accepted), .origin = origin});
}

void ChainWriter::HandleEvents(const ChainEvents& events, const Checkpoint& old_head, ImportMode mode) {
  if (events.reorg && events.head.has_value()) {
    const uint64_t depth = ReorgDepth(old_head);
    events_.Reorg(old_head, *events.head, depth);
    if (context_.metrics != nullptr) context_.metrics->reorg_depth.Observe(static_cast<double>(depth));
    Tell(Reorganized{.old_head = Described(old_head), .new_head = Described(*events.head), .depth = depth});
  }
  if (events.head.has_value()) {
    events_.Head(*events.head, mode);
    Tell(HeadMoved{.head = Described(*events.head)});
  }
  if (events.justified.has_value()) {
    events_.Justified(*events.justified, mode);
    Tell(JustifiedMoved{.justified = Described(*events.justified)});
  }
  if (context_.metrics != nullptr && (events.justified.has_value() || events.finalized.has_value())) {
    context_.metrics->finalizations.Add({{"result", events.finalized.has_value() ? "success" : "error"}});
  }
  if (events.safe_target.has_value()) Tell(SafeTargetMoved{.safe_target = Described(*events.safe_target)});
  const bool moved = events.head.has_value() || events.justified.has_value() || events.finalized.has_value();
  if (context_.observer != nullptr && moved) {
    context_.observer->CheckpointsChanged({.head = context_.chain.head(),
                                           .justified = context_.chain.justified(),
                                           .finalized = context_.chain.finalized()});
  }
  if (events.finalized.has_value()) {
    finalized_slot_ = static_cast<int64_t>(events.finalized->slot);
    events_.Finalized(*events.finalized, mode);
    Tell(FinalizedMoved{.finalized = Described(*events.finalized)});
  }
  if (events.head.has_value()) WantHeadState();
}

void ChainWriter::Prune() {
  std::vector<SignedBlockPtr> dropped;  // freed off the lock
  WriterLock lock(context_.mutex);
  dropped = context_.chain.Prune(options_.prune);
}

// The number of blocks of the old chain that are not on the new one.
uint64_t ChainWriter::ReorgDepth(const Checkpoint& old_head) const {
  uint64_t depth = 0;
  std::optional<Checkpoint> at = old_head;
  while (at.has_value() && context_.chain.CanonicalRoot(at->slot) != at->root) {
    ++depth;
    at = context_.chain.ParentOf(at->root);
  }
  return depth;
}

EventBlock ChainWriter::Described(const Checkpoint& block) const {
  const BlockPtr held = context_.chain.BlockOf(block.root);
  return {.id = block, .state_root = held == nullptr ? Root() : held->state_root};
}

void ChainWriter::Publish(OutboundItem item) {
  const PushResult pushed = context_.outbound.TryPush(std::move(item));
  // TryPush moves only what it pushes.
  if (pushed == PushResult::kFull) events_.NotPublished(item);  // NOLINT(bugprone-use-after-move)
}

void ChainWriter::UpdateSizes() {
  waiting_blocks_.store(waiting_.blocks(), std::memory_order_relaxed);
  waiting_votes_.store(waiting_.votes(), std::memory_order_relaxed);
  waiting_block_bytes_.store(waiting_.block_bytes(), std::memory_order_relaxed);
  waiting_vote_bytes_.store(waiting_.bytes() - waiting_.block_bytes(), std::memory_order_relaxed);
}

metrics::FootprintList ChainWriter::queues() const {
  return {{.name = "waiting_blocks", .items = waiting_blocks(), .bytes = waiting_block_bytes_},
          {.name = "waiting_votes", .items = waiting_votes(), .bytes = waiting_vote_bytes_},
          {.name = "outbound",
           .items = context_.outbound.size(),
           .bytes = context_.outbound.size() * sizeof(OutboundItem)}};
}

}  // namespace lean::beacon
