#include "beacon/sync/roots/walk_sync.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"

namespace lean::beacon {
namespace {

double Seconds(SteadyTime from, SteadyTime to) { return std::chrono::duration<double>(to - from).count(); }

}  // namespace

WalkSync::WalkSync(const SyncContext& context, const WalkSyncOptions& options)
    : context_(context),
      options_(options),
      import_(
          context, options.import,
          [this](const SubmitOutcome& outcome, uint64_t slot) {
            base_ = {.root = outcome.root, .slot = slot};
            if (WaitsForOtherBranch(outcome)) needs_roots_ = true;
          },
          [this](BlockImport::Result result, uint64_t, const std::string& why) { OnImported(result, why); }) {}

void WalkSync::Begin(uint64_t peer, const Checkpoint& head, const Checkpoint& finalized, SteadyTime now) {
  walk_.emplace(head, finalized.slot, options_.walk);
  ++walk_id_;
  peer_ = peer;
  head_ = head;
  base_ = finalized_ = finalized;
  needs_roots_ = false;
  strikes_ = 0;
  began_ = logged_ = now;
  imported_before_ = imported();
  context_.log->info("sync_walk_begins finalized_slot={} head_slot={} peer={}", finalized.slot, head.slot,
                     PeerName(context_.book, peer));
}

void WalkSync::Update(SteadyTime now) {
  if (!active()) return;
  if (!IsBelieved()) return End("its peer has gone, or is not believed any more");
  Ask(now);
  Import(now);
  LogProgress(now);
}

bool WalkSync::IsBelieved() const {
  const std::vector<PeerInfo>& believed = context_.book.believed();
  return std::any_of(believed.begin(), believed.end(), [this](const PeerInfo& info) { return info.id == peer_; });
}

void WalkSync::Ask(SteadyTime now) {
  if (!context_.book.MayAsk(peer_, now)) return;
  std::vector<Root> roots = walk_->Next();
  if (roots.empty()) return;
  context_.book.Asked(peer_);
  context_.peers.BlocksByRoot(
      peer_, std::move(roots),
      [this, inbox = context_.inbox, peer = peer_, walk = walk_id_,
       now](absl::StatusOr<std::vector<SignedBlockPtr>> answer) {
        inbox->Push([this, peer, walk, now, answer = std::move(answer)] {
          const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(context_.clock.Steady() - now);
          context_.book.Answered(peer, took);
          if (!answer.ok()) HandleFailedRequest(context_, peer, answer.status());
          if (!active() || walk != walk_id_) return;
          if (!answer.ok() || (took > options_.patience && HasOther())) ++strikes_;
          OnAnswer(answer);
        });
      });
}

bool WalkSync::HasOther() const {
  const std::vector<PeerInfo>& believed = context_.book.believed();
  return std::any_of(believed.begin(), believed.end(),
                     [this](const PeerInfo& info) { return info.id != peer_ && info.head.slot > base_.slot; });
}

void WalkSync::OnAnswer(const absl::StatusOr<std::vector<SignedBlockPtr>>& answer) {
  if (strikes_ >= options_.max_strikes) {
    context_.book.Disbelieve(peer_, context_.clock.Steady());
    return End("its answers fail, or are slow");
  }
  if (!answer.ok()) return walk_->Failed();
  const bool backward = !walk_->connected();
  const auto known = [this](const Root& root) {
    return context_.chain.Read([&](const LeanChain& chain) { return chain.HasBlock(root); });
  };
  const absl::Status status = walk_->Answered(*answer, known);
  if (absl::IsNotFound(status)) return OnMissing();
  if (absl::IsOutOfRange(status)) return EndOnOtherBranch(status.message());
  RETURN_IF_ERROR(status, EndAndBlame(Offence::kBadAnswer, std::string(_.message())));
  if (!backward) return;
  // Without this check anybody could invent a chain of any length.
  if (const std::optional<Refusal> refusal = context_.chain.CheckProposer(*answer->front())) {
    return EndAndBlame(Offence::kInvalidItem,
                       absl::StrCat("a block of its chain is wrong: ", refusal->reason, ", ", refusal->message));
  }
  ++walked_;
}

void WalkSync::OnMissing() {
  if (walk_->lowest_slot() > head_.slot) {
    const PeerInfo* info = context_.book.Find(peer_);
    if (info != nullptr && info->head == head_) {
      return EndAndBlame(Offence::kLied,
                         absl::StrCat("it claims a head at slot ", head_.slot, " and does not have it"));
    }
    return End("the peer has moved on");
  }
  // The peer has pruned these blocks, or never had them.
  const uint64_t kept_from = walk_->lowest_slot();
  context_.book.SetKeptFrom(peer_, kept_from);
  // A peer with older blocks could not fill this gap, because the missing blocks are below those that we have.
  if (kept_from <= finalized_.slot + 1) context_.book.Disbelieve(peer_, context_.clock.Steady());
  End("the peer has no older blocks");
}

void WalkSync::Import(SteadyTime now) {
  if (!active()) return;
  if (!import_.active()) {
    std::vector<SignedBlockPtr> blocks = walk_->Take(options_.import.bytes);
    if (blocks.empty()) {
      if (walk_->finished()) End("complete");
      return;
    }
    import_.Begin(peer_, std::move(blocks));
  }
  import_.Update(now);
}

void WalkSync::OnImported(BlockImport::Result result, const std::string& why) {
  switch (result) {
    case BlockImport::Result::kComplete:
      return;
    case BlockImport::Result::kStale:
      return EndOnOtherBranch("its chain leaves ours below our finalized block, or there is no state to check it");
    case BlockImport::Result::kWrong:
      return EndAndBlame(Offence::kInvalidItem, why);
  }
}

void WalkSync::End(absl::string_view why) {
  context_.log->info("sync_walk_ended head_slot={} lowest_slot={} blocks={} seconds={:.1f} result=\"{}\"", head_.slot,
                     walk_->lowest_slot(), imported() - imported_before_, Seconds(began_, context_.clock.Steady()),
                     std::string(why));
  walk_.reset();
  import_.Stop();
}

void WalkSync::EndOnOtherBranch(absl::string_view why) {
  context_.book.Disbelieve(peer_, context_.clock.Steady());
  End(why);
}

void WalkSync::EndAndBlame(Offence offence, const std::string& why) {
  End(why);
  Blame(context_, peer_, offence, why);
}

uint64_t WalkSync::slots_done() const { return base_.slot - finalized_.slot; }

uint64_t WalkSync::slots_left() const { return head_.slot - std::min(head_.slot, base_.slot); }

void WalkSync::LogProgress(SteadyTime now) {
  if (!active() || now - logged_ < options_.progress_every) return;
  logged_ = now;
  context_.log->info("sync_walk_progress head_slot={} lowest_slot={} connected={} slots_left={} held_bytes={}",
                     head_.slot, walk_->lowest_slot(), walk_->connected(), slots_left(), walk_->bytes_held());
}

}  // namespace lean::beacon
