#include "beacon/sync/sync_service.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace lean::beacon {
namespace {

using std::chrono::milliseconds;

SyncContext PartsContext(const SyncServiceContext& context, PeerBook& book) {
  return {.chain = context.chain,
          .peers = context.peers,
          .clock = context.clock,
          .inbox = context.inbox,
          .log = context.log,
          .book = book};
}

}  // namespace

SyncServiceOptions SyncServiceOptions::For(uint64_t slot_duration_ms, size_t configured_peers, uint64_t seed) {
  const milliseconds slot(slot_duration_ms);
  SyncServiceOptions options;
  options.verdict.configured_peers = configured_peers;
  // The time to connect does not depend on the length of a slot.
  options.verdict.start_wait = std::max(2 * slot, milliseconds(4'000));
  options.verdict.hearing_wait = options.verdict.start_wait;
  options.verdict.proof_wait = std::max(8 * slot, milliseconds(10'000));
  options.book.disbelief = std::max(8 * slot, milliseconds(10'000));
  options.range.patience = slot;
  options.range.pause = slot / 4;
  options.range.import.pause = options.range.walk.import.pause = options.range.pause;
  options.roots.pause = slot;
  options.tick = std::clamp(slot / 16, milliseconds(10), milliseconds(250));
  options.seed = seed;
  return options;
}

SyncService::SyncService(const SyncServiceContext& context, const SyncServiceOptions& options)
    : context_(context),
      options_(options),
      book_(options.book, options.seed),
      verdict_(options.verdict, context.clock.Steady()),
      range_(PartsContext(context_, book_), options.range),
      roots_(PartsContext(context_, book_), options.roots) {}

SyncService::~SyncService() { Stop(); }

void SyncService::Start() {
  Update();
  thread_ = std::thread([this] { Run(); });
}

void SyncService::Stop() {
  context_.inbox->Close();
  if (thread_.joinable()) thread_.join();
}

void SyncService::Run() {
  while (!context_.inbox->closed()) {
    Handle(context_.inbox->Take(context_.clock, context_.clock.Steady() + options_.tick));
  }
}

void SyncService::Handle(const SyncInbox::Content& content) {
  for (const WantedRoot& wanted : content.wanted) roots_.Want(wanted);
  for (const SyncInbox::Event& event : content.events) event();
  Update();
}

std::vector<AheadPeer> SyncService::PeersAhead(Checkpoint* head, Checkpoint* finalized) const {
  return context_.chain.Read([&](const LeanChain& chain) {
    *head = chain.head();
    *finalized = chain.finalized();
    std::vector<AheadPeer> ahead;
    for (const PeerInfo& peer : book_.believed()) {
      if (chain.HasBlock(peer.head.root)) continue;
      ahead.push_back(
          {.peer = peer.id, .head = peer.head, .serves_range = peer.serves_range, .earliest_slot = peer.earliest_slot});
    }
    return ahead;
  });
}

void SyncService::Update() {
  const SteadyTime now = context_.clock.Steady();
  const int64_t clock_slot = context_.chain.CurrentSlot();
  book_.Update(context_.peers.Peers(), clock_slot, now);
  Checkpoint head;
  Checkpoint finalized;
  const std::vector<AheadPeer> ahead = PeersAhead(&head, &finalized);
  range_.Update(ahead, head, finalized, now);

  std::optional<uint64_t> peers_head;
  for (const AheadPeer& peer : ahead) peers_head = std::max(peers_head.value_or(0), peer.head.slot);
  const SyncVerdict::State state = verdict_.Update({.now = now,
                                                    .head_slot = head.slot,
                                                    .clock_slot = clock_slot,
                                                    .peers_head = peers_head,
                                                    .linked_peers = book_.linked().size(),
                                                    .progress = range_.fetched()});
  // Far behind, the ancestors of gossip items are fetched by range, not by root. No range brings the
  // blocks of other branches.
  if (state != SyncVerdict::State::kSyncing || range_.needs_roots()) roots_.Update(now);
  Publish(state, ahead, head.slot);
}

void SyncService::Publish(SyncVerdict::State state, const std::vector<AheadPeer>& ahead, uint64_t head_slot) {
  SyncStatus status;
  const ClockStatus clock = context_.chain.clock_status();
  status.synced = state == SyncVerdict::State::kSynced && clock.usable;
  for (const AheadPeer& peer : ahead) {
    if (peer.head.slot <= std::max(head_slot, status.target_slot)) continue;
    status.target_slot = peer.head.slot;
    status.lag_slots = peer.head.slot - head_slot;
    status.ahead = PeerName(book_, peer.peer);
  }
  if (state == SyncVerdict::State::kSyncing && status.lag_slots == 0 && verdict_.target_slot() > head_slot) {
    status.target_slot = verdict_.target_slot();
    status.lag_slots = status.target_slot - head_slot;
    status.ahead = "a peer that is gone or does not answer";
  }
  if (const auto progress = range_.progress()) {
    status.slots_done = progress->slots_done;
    status.slots_left = progress->slots_left;
    status.blocks_per_second = progress->blocks_per_second;
    status.blocks_held = progress->blocks_held;
    status.bytes_held = progress->bytes_held;
  }
  status.roots_wanted = roots_.size();
  if (state == SyncVerdict::State::kStarting) {
    status.message = book_.linked().empty() ? "waiting for the first peers" : "hearing which slot others vote for";
  } else if (status.lag_slots > 0) {
    status.message = absl::StrCat(status.lag_slots, " slots behind ", status.ahead);
    if (const std::optional<RangeSync::Gap>& gap = range_.gap()) {
      absl::StrAppend(&status.message, "; no peer has the blocks from slot ", gap->first_slot,
                      " on, the oldest is of slot ", gap->kept_from,
                      ": link to one that does, or start with an empty data folder and --checkpoint");
    }
  }
  if (state != std::exchange(published_, state)) {
    const bool synced = state == SyncVerdict::State::kSynced;
    context_.log->info("{} head_slot={} message=\"{}\"", synced ? "synced" : "syncing", head_slot, status.message);
  }
  if (const std::string trouble = context_.network_trouble(); !trouble.empty()) {
    absl::StrAppend(&status.message, "; ", trouble);
  }
  if (!clock.usable) status.message = clock.message;
  LogClock(clock);
  TellWatchers(status);
  context_.board.Set(std::move(status));
}

void SyncService::TellWatchers(const SyncStatus& status) {
  if (context_.events == nullptr) return;
  SyncChanged now{.synced = status.synced,
                  .lag_slots = status.lag_slots,
                  .target_slot = status.target_slot,
                  .message = status.message};
  if (told_.has_value() && told_->synced == now.synced && told_->message == now.message) return;
  told_ = now;
  context_.events->Add(std::move(now));
}

void SyncService::LogClock(const ClockStatus& clock) {
  if (clock.usable == std::exchange(clock_usable_, clock.usable)) return;
  const ClockVerdict& verdict = clock.verdict;
  if (clock.usable) {
    context_.log->info("clock_usable heard={} off={}", verdict.heard, verdict.off);
  } else {
    context_.log->error("clock_wrong heard={} off={} slots_off={} message=\"{}; no duties are served until then\"",
                        verdict.heard, verdict.off, verdict.slots_off, clock.message);
  }
}

}  // namespace lean::beacon
