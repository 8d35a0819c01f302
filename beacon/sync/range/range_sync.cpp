#include "beacon/sync/range/range_sync.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "beacon/chain/chain_types.h"
#include "common/bytes/bytes.h"

namespace lean::beacon {
namespace {

// The most blocks in left_below_, which is bounded by finality otherwise.
constexpr size_t kLeftBelowRemembered = 64;

double Seconds(SteadyTime from, SteadyTime to) { return std::chrono::duration<double>(to - from).count(); }

}  // namespace

RangeSync::RangeSync(const SyncContext& context, const RangeSyncOptions& options)
    : context_(context),
      options_(options),
      import_(
          context, options.import, [this](const SubmitOutcome& outcome, uint64_t slot) { OnBlock(outcome, slot); },
          [this](BlockImport::Result result, uint64_t peer, const std::string& why) { OnImported(result, peer, why); }),
      walk_(context, options.walk) {}

void RangeSync::Update(const std::vector<AheadPeer>& ahead, const Checkpoint& head, const Checkpoint& finalized,
                       SteadyTime now) {
  std::map<uint64_t, SteadyTime> since;
  for (const AheadPeer& peer : ahead) {
    const auto before = ahead_since_.find(peer.peer);
    since[peer.peer] = before == ahead_since_.end() ? now : before->second;
  }
  ahead_since_ = std::move(since);
  if (finalized != std::exchange(finalized_, finalized)) left_below_.clear();

  if (plan_.has_value()) {
    const std::vector<PeerInfo>& believed = context_.book.believed();
    const std::optional<uint64_t> only = plan_->only_peer();
    const bool is_orphaned = only.has_value() && std::none_of(believed.begin(), believed.end(),
                                                              [&](const PeerInfo& peer) { return peer.id == *only; });
    if (is_orphaned || plan_->IsStuck(believed)) {
      End("no peer has it any more");
    } else if (!only.has_value()) {
      for (const AheadPeer& peer : ahead) {
        if (peer.serves_range) plan_->Extend(peer.head.slot);
      }
    }
  }
  if (walk_.active()) {
    walk_.Update(now);
    if (walk_.active()) return;
    not_before_ = now + (walk_.brought_something() ? options_.pause : std::max(options_.pause, options_.patience));
  }
  if (!plan_.has_value() && now >= not_before_) ChooseTarget(ahead, head, finalized, now);
  if (!plan_.has_value()) return;
  Ask(now);
  Import(now);
  LogProgress(now);
  if (plan_.has_value() && plan_->finished()) Judge();
}

void RangeSync::ChooseTarget(const std::vector<AheadPeer>& ahead, const Checkpoint& head, const Checkpoint& finalized,
                             SteadyTime now) {
  const AheadPeer* by_range = nullptr;
  const AheadPeer* by_root = nullptr;
  std::optional<Gap> gap;
  const std::optional<uint64_t> alone = std::exchange(ask_alone_, std::nullopt);
  const std::optional<AheadPeer> walk_next = std::exchange(walk_next_, std::nullopt);
  for (const AheadPeer& peer : ahead) {
    if (peer.head.slot <= finalized.slot) continue;
    if (walk_next.has_value() && walk_next->peer == peer.peer) {
      return walk_.Begin(walk_next->peer, walk_next->head, finalized, now);
    }
    if (alone == peer.peer) return Begin(peer, finalized, /*alone=*/true, now);
    const bool is_urgent = peer.head.slot > head.slot + options_.urgent_slots;
    if (!is_urgent && now - ahead_since_[peer.peer] < options_.patience) continue;
    const AheadPeer*& best = peer.serves_range ? by_range : by_root;
    if (best != nullptr && peer.head.slot <= best->head.slot) continue;
    // A request by root would go to this peer only.
    const uint64_t first = BaseOf(peer, head, finalized).slot + 1;
    if (peer.serves_range || peer.earliest_slot <= first) {
      best = &peer;
    } else {
      AddGap({.first_slot = first, .kept_from = peer.earliest_slot}, &gap);
    }
  }
  if (by_range != nullptr) {
    const Checkpoint base = BaseOf(*by_range, head, finalized);
    const std::optional<Gap> above = GapAbove(base);
    if (!above.has_value()) return Begin(*by_range, base, /*alone=*/false, now);
    AddGap(*above, &gap);
  }
  if (by_root != nullptr) return Begin(*by_root, finalized, /*alone=*/false, now);
  SetGap(gap);
}

Checkpoint RangeSync::BaseOf(const AheadPeer& target, const Checkpoint& head, const Checkpoint& finalized) const {
  Checkpoint base = finalized;
  for (const Checkpoint& known : {head, last_fetched_}) {
    if (known.slot > base.slot && known.slot < target.head.slot && !left_below_.contains(known.root) &&
        HasBlock(known.root)) {
      base = known;
    }
  }
  return base;
}

void RangeSync::AddGap(const Gap& more, std::optional<Gap>* gap) {
  const uint64_t kept_from = gap->has_value() ? (*gap)->kept_from : more.kept_from;
  *gap = Gap{.first_slot = more.first_slot, .kept_from = std::min(kept_from, more.kept_from)};
}

std::optional<RangeSync::Gap> RangeSync::GapAbove(const Checkpoint& base) const {
  std::optional<Gap> gap;
  for (const PeerInfo& peer : context_.book.believed()) {
    if (peer.head.slot <= base.slot || !peer.serves_range) continue;
    if (peer.earliest_slot <= base.slot + 1) return std::nullopt;
    AddGap({.first_slot = base.slot + 1, .kept_from = peer.earliest_slot}, &gap);
  }
  return gap;
}

void RangeSync::SetGap(const std::optional<Gap>& gap) {
  if (gap == std::exchange(gap_, gap) || !gap.has_value()) return;
  context_.log->warn(
      "sync_needs_checkpoint first_slot={} kept_from={} message=\"no peer has the blocks that are needed: connect to "
      "one "
      "that has them, or start with an empty data folder and --checkpoint\"",
      gap->first_slot, gap->kept_from);
}

void RangeSync::Begin(const AheadPeer& target, const Checkpoint& base, bool alone, SteadyTime now) {
  SetGap(std::nullopt);
  needs_roots_ = false;
  if (!target.serves_range) return walk_.Begin(target.peer, target.head, finalized_, now);
  plan_.emplace(base.slot + 1, target.head.slot, alone ? std::optional(target.peer) : std::nullopt, options_.plan);
  ++plan_id_;
  target_ = target;
  target_came_ = false;
  last_queued_ = Root();
  base_ = base;
  began_ = logged_ = now;
  imported_before_ = import_.imported();
  import_.Stop();
  context_.log->info("sync_range_begins first_slot={} last_slot={} ahead={} alone={}", base.slot + 1, target.head.slot,
                     PeerName(context_.book, target.peer), alone);
}

void RangeSync::End(absl::string_view why) {
  const SteadyTime now = context_.clock.Steady();
  const uint64_t blocks = import_.imported() - imported_before_;
  context_.log->info("sync_range_ended first_slot={} last_slot={} blocks={} seconds={:.1f} result=\"{}\"",
                     base_.slot + 1, plan_->last(), blocks, Seconds(began_, now), std::string(why));
  plan_.reset();
  import_.Stop();
  // A range without new blocks is not repeated at once.
  not_before_ = now + (blocks > 0 ? options_.pause : std::max(options_.pause, options_.patience));
}

void RangeSync::Ask(SteadyTime now) {
  const auto reserve = [&](uint64_t peer) {
    if (!context_.book.MayAsk(peer, now)) return false;
    context_.book.Asked(peer);
    return true;
  };
  for (const RangePlan::Ask& ask : plan_->Next(context_.book.believed(), reserve, now)) {
    context_.peers.BlocksByRange(
        ask.peer, ask.first_slot, ask.count,
        [this, inbox = context_.inbox, plan = plan_id_, ask, now](absl::StatusOr<std::vector<SignedBlockPtr>> answer) {
          inbox->Push([this, plan, ask, now, answer = std::move(answer)] { OnAnswer(plan, ask, now, answer); });
        });
  }
}

void RangeSync::OnAnswer(uint64_t plan, const RangePlan::Ask& ask, SteadyTime sent,
                         absl::StatusOr<std::vector<SignedBlockPtr>> answer) {
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(context_.clock.Steady() - sent);
  context_.book.Answered(ask.peer, took);
  const bool is_current = plan_.has_value() && plan == plan_id_;
  if (!answer.ok()) {
    HandleFailedRequest(context_, ask.peer, answer.status());
    if (is_current) plan_->Failed(ask.peer, ask.first_slot);
    return;
  }
  if (!is_current) return;
  const absl::Status status = plan_->Answered(ask.peer, ask.first_slot, *std::move(answer));
  if (!status.ok()) Blame(context_, ask.peer, Offence::kBadAnswer, std::string(status.message()));
}

void RangeSync::Import(SteadyTime now) {
  if (!import_.active()) {
    std::optional<RangePlan::Ready> ready = plan_->Take();
    if (!ready.has_value()) return;
    const Root& parent = ready->blocks.front()->message.block.parent_root;
    if (parent != last_queued_ && !HasBlock(parent)) return HandleDisconnected(ready->peer);
    import_.Begin(ready->peer, std::move(ready->blocks));
  }
  import_.Update(now);
}

void RangeSync::OnBlock(const SubmitOutcome& outcome, uint64_t slot) {
  if (outcome.root == target_.head.root) target_came_ = true;
  if (WaitsForOtherBranch(outcome)) needs_roots_ = true;
  if (outcome.status == SubmitOutcome::kQueued) {
    last_queued_ = outcome.root;
  } else {
    last_fetched_ = {.root = outcome.root, .slot = slot};
  }
}

void RangeSync::OnImported(BlockImport::Result result, uint64_t peer, const std::string& why) {
  switch (result) {
    case BlockImport::Result::kComplete:
      return plan_->Done();
    case BlockImport::Result::kStale:
      return HandleDisconnected(peer);
    case BlockImport::Result::kWrong:
      plan_->Refetch();
      return Blame(context_, peer, Offence::kInvalidItem, why);
  }
}

// If the range starts above a block that is not finalized, the peers' chain branches off below that block, so it is
// requested from the finalized block on. If the range starts at the finalized block, this peer withholds blocks or is
// on a chain that branches off below the finalized block, or another peer has withheld the blocks in between. This peer
// alone is then asked for the whole range. If its answer is no chain from our finalized block on, it is asked by roots,
// which distinguishes pruned blocks from lies.
void RangeSync::HandleDisconnected(uint64_t peer) {
  if (base_.slot > finalized_.slot) {
    if (left_below_.size() >= kLeftBelowRemembered) left_below_.clear();
    left_below_.insert(base_.root);
    End("the peers' chain leaves ours below it");
    not_before_ = context_.clock.Steady();
    return;
  }
  if (plan_->only_peer() == peer) {
    walk_next_ = target_;
    End("what was answered builds on nothing known");
    not_before_ = context_.clock.Steady();
    return;
  }
  suspects_.insert(plan_->silent_peers().begin(), plan_->silent_peers().end());
  suspects_.erase(peer);
  ask_alone_ = peer;
  End("the peers' answers do not fit together");
  not_before_ = context_.clock.Steady();
}

void RangeSync::Judge() {
  const bool came = target_came_ || HasBlock(target_.head.root);
  const bool alone = plan_->only_peer().has_value();
  const bool brought_something = import_.imported() > imported_before_;
  const AheadPeer target = target_;
  End(came ? "complete" : "what was claimed did not come");
  if (!came && !alone) {
    ask_alone_ = target.peer;
    not_before_ = context_.clock.Steady();
  }
  if (!alone) return;
  if (came) {
    for (const uint64_t suspect : suspects_) context_.book.Disbelieve(suspect, context_.clock.Steady());
  } else if (!brought_something) {
    walk_next_ = target;
    not_before_ = context_.clock.Steady();
  }
  suspects_.clear();
}

std::optional<RangeSync::Progress> RangeSync::progress() const {
  if (walk_.active()) return Progress{.slots_done = walk_.slots_done(), .slots_left = walk_.slots_left()};
  if (!plan_.has_value()) return std::nullopt;
  const uint64_t total = plan_->last() - base_.slot;
  const uint64_t done = std::min(total, plan_->slots_done());
  const double seconds = Seconds(began_, context_.clock.Steady());
  const auto blocks = static_cast<double>(import_.imported() - imported_before_);
  return Progress{.slots_done = done,
                  .slots_left = total - done,
                  .blocks_per_second = seconds > 0 ? blocks / seconds : 0,
                  .blocks_held = plan_->blocks_held(),
                  .bytes_held = plan_->bytes_held()};
}

void RangeSync::LogProgress(SteadyTime now) {
  if (!plan_.has_value() || now - logged_ < options_.progress_every) return;
  logged_ = now;
  const Progress state = *progress();
  const double seconds = Seconds(began_, now);
  const double slots_per_second = static_cast<double>(state.slots_done) / seconds;
  const std::string left =
      state.slots_done == 0 ? "?" : absl::StrCat(static_cast<uint64_t>(state.slots_left / slots_per_second));
  context_.log->info("sync_progress slots_done={} slots_left={} blocks={} blocks_per_s={:.1f} seconds_left={} peers={}",
                     state.slots_done, state.slots_left, import_.imported() - imported_before_, state.blocks_per_second,
                     left, context_.book.believed().size());
}

bool RangeSync::HasBlock(const Root& root) const {
  return context_.chain.Read([&](const LeanChain& chain) { return chain.HasBlock(root); });
}

}  // namespace lean::beacon
