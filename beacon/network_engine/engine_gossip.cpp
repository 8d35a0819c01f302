#include "beacon/network_engine/engine_gossip.h"

#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "beacon/network/gossip_codec.h"

namespace lean::beacon {
namespace {

// Of votes that are submitted together.
constexpr size_t kMaxVotesAtOnce = 256;

// The origin of items whose peer has gone before them.
constexpr uint64_t kGonePeer = 0;

const void* AddressOf(const std::variant<SignedBlockPtr, SignedVotePtr>& content) {
  return std::visit([](const auto& pointer) { return static_cast<const void*>(pointer.get()); }, content);
}

size_t WorkOf(const SignedBlockWithAttestation& block) { return block.signature.size() + 1; }

// nullopt: it waits for a block it names, or for its slot.
std::optional<v1::Verdict::Outcome> VerdictOn(const SubmitOutcome& outcome) {
  switch (outcome.status) {
    case SubmitOutcome::kAccepted:
      return v1::Verdict::ACCEPT;
    case SubmitOutcome::kQueued:
      return std::nullopt;
    case SubmitOutcome::kRefused:
      return IsOffence(outcome.reason) ? v1::Verdict::REJECT : v1::Verdict::IGNORE;
    case SubmitOutcome::kAlreadyKnown:
    case SubmitOutcome::kOverloaded:
    case SubmitOutcome::kStorageFailed:
    case SubmitOutcome::kShuttingDown:
      break;
  }
  return v1::Verdict::IGNORE;
}

}  // namespace

EngineGossip::EngineGossip(GossipSink sink, Verdict verdict, EnginePeers& peers, const Clock& clock,
                           const EngineGossipLimits& limits)
    : sink_(std::move(sink)), verdict_(std::move(verdict)), peers_(peers), clock_(clock), limits_(limits) {}

absl::Status EngineGossip::OnItems(uint64_t stream, const v1::GossipItems& items) {
  for (const v1::GossipItem& item : items.items()) {
    const absl::StatusOr<EnginePeerPtr> peer = peers_.OfHandle(item.peer());
    if (!peer.ok()) return absl::InvalidArgumentError(absl::StrCat("items.", peer.status().message()));
    if (const auto outcome = Take(stream, item, *peer)) verdict_(stream, item.id(), *outcome);
  }
  Pump();
  return absl::OkStatus();
}

std::optional<v1::Verdict::Outcome> EngineGossip::Take(uint64_t stream, const v1::GossipItem& item,
                                                       const EnginePeerPtr& peer) {
  const bool is_block = item.has_block();
  if (!is_block && !item.has_vote()) return v1::Verdict::IGNORE;  // of a newer engine
  if (peer != nullptr && peer->ending) return v1::Verdict::IGNORE;
  const SteadyTime now = clock_.Steady();
  const uint64_t peer_id = peer == nullptr ? kGonePeer : peer->id;
  const absl::string_view what = is_block ? "block" : "vote";
  const std::string& ssz = is_block ? item.block() : item.vote();
  if (peer != nullptr) {
    ++(is_block ? peer->blocks_in : peer->votes_in);
    const bool within = peer->rates.TakeBytes(ssz.size(), now) &&
                        (is_block ? peer->rates.TakeBlock(now) : peer->rates.TakeVotes(1, now));
    if (!within) {
      peers_.Blame(peer_id, Offence::kTooMuch, absl::StrCat(what, ": they come too fast"));
      return v1::Verdict::IGNORE;
    }
  }
  {
    std::lock_guard lock(mutex_);
    if (is_block ? blocks_ >= limits_.blocks : items_.size() - blocks_ >= limits_.votes) return v1::Verdict::IGNORE;
  }
  absl::StatusOr<Content> content = absl::InvalidArgumentError("");
  if (is_block) {
    content = ParseBlock(ssz);
  } else {
    content = ParseVote(ssz);
  }
  if (!content.ok()) {
    peers_.Blame(peer_id, Offence::kMalformed, absl::StrCat(what, ": ", content.status().message()));
    return v1::Verdict::REJECT;
  }
  std::lock_guard lock(mutex_);
  const uint64_t number = ++last_item_;
  by_content_[AddressOf(*content)] = number;
  items_.emplace(number, Item{.stream = stream, .id = item.id(), .content = *std::move(content), .came = now});
  blocks_ += is_block ? 1 : 0;
  Line& line = lines_[peer_id];
  (is_block ? line.blocks : line.votes).push_back(number);
  return std::nullopt;
}

void EngineGossip::Pump() {
  std::unique_lock lock(mutex_);
  // Outcomes may come while this submits, from within it as well: whoever pumps goes on for them.
  pump_again_ = true;
  if (pumping_) return;
  pumping_ = true;
  while (std::exchange(pump_again_, false)) {
    while (std::optional<Batch> batch = NextLocked()) {
      lock.unlock();
      Submit(*std::move(batch));
      lock.lock();
    }
  }
  pumping_ = false;
}

std::optional<EngineGossip::Batch> EngineGossip::NextLocked() {
  if (lines_.empty() || work_ >= limits_.work) return std::nullopt;
  auto at = lines_.upper_bound(last_turn_);
  for (size_t i = 0; i < lines_.size(); ++i, ++at) {
    if (at == lines_.end()) at = lines_.begin();
    if (!at->second.waits() || at->second.work >= limits_.work_per_peer) continue;
    last_turn_ = at->first;
    return TakeLocked(at->first, at->second);
  }
  return std::nullopt;
}

EngineGossip::Batch EngineGossip::TakeLocked(uint64_t peer, Line& line) {
  Batch batch{.peer = peer, .items = {}, .block = nullptr, .votes = {}};
  const auto take = [&](std::deque<uint64_t>& from) -> const Content& {
    Item& item = items_.at(from.front());
    item.state = State::kSubmitted;
    batch.items.push_back(from.front());
    from.pop_front();
    return item.content;
  };
  if (!line.blocks.empty()) {
    batch.block = std::get<SignedBlockPtr>(take(line.blocks));
    batch.work = WorkOf(*batch.block);
  } else {
    const size_t most = std::min(kMaxVotesAtOnce, limits_.work_per_peer - line.work);
    while (!line.votes.empty() && batch.votes.size() < most) {
      batch.votes.push_back(std::get<SignedVotePtr>(take(line.votes)));
    }
    batch.work = batch.votes.size();
  }
  line.work += batch.work;
  work_ += batch.work;
  return batch;
}

void EngineGossip::Submit(Batch batch) {
  const Origin origin = Origin::Peer(batch.peer);
  if (batch.block != nullptr) {
    SignedBlockPtr block = batch.block;
    return sink_.block(std::move(block), origin, [this, batch = std::move(batch)](const SubmitOutcome& outcome) {
      OnOutcomes(batch, {outcome});
    });
  }
  std::vector<SignedVotePtr> votes = batch.votes;
  sink_.votes(std::move(votes), origin, [this, batch = std::move(batch)](const std::vector<SubmitOutcome>& outcomes) {
    OnOutcomes(batch, outcomes);
  });
}

void EngineGossip::OnOutcomes(const Batch& batch, const std::vector<SubmitOutcome>& outcomes) {
  struct Decided {
    uint64_t stream;
    uint64_t id;
    v1::Verdict::Outcome outcome;
  };
  std::vector<Decided> decided;
  {
    std::lock_guard lock(mutex_);
    for (size_t i = 0; i < batch.items.size() && i < outcomes.size(); ++i) {
      const auto found = items_.find(batch.items[i]);
      if (found == items_.end()) continue;  // it was accepted meanwhile
      if (const auto outcome = VerdictOn(outcomes[i])) {
        decided.push_back({.stream = found->second.stream, .id = found->second.id, .outcome = *outcome});
        EraseLocked(found);
      } else {
        found->second.state = State::kQueued;
      }
    }
    const auto line = lines_.find(batch.peer);
    line->second.work -= batch.work;
    work_ -= batch.work;
    if (line->second.unused()) lines_.erase(line);
  }
  for (const Decided& item : decided) verdict_(item.stream, item.id, item.outcome);
  const absl::string_view what = batch.block != nullptr ? "block" : "vote";
  for (const SubmitOutcome& outcome : outcomes) {
    duplicates_ += outcome.status == SubmitOutcome::kAlreadyKnown ? 1 : 0;
    if (outcome.status != SubmitOutcome::kRefused || !IsOffence(outcome.reason)) continue;
    peers_.Blame(batch.peer, Offence::kInvalidItem, absl::StrCat(what, ": ", outcome.reason, ": ", outcome.message));
  }
  Pump();
}

void EngineGossip::OnAccepted(const OutboundItem& item) {
  std::vector<std::pair<uint64_t, uint64_t>> accepted;  // stream and id
  {
    std::lock_guard lock(mutex_);
    const auto accept = [&](const void* content) {
      const auto number = by_content_.find(content);
      if (number == by_content_.end()) return;
      const auto found = items_.find(number->second);
      accepted.emplace_back(found->second.stream, found->second.id);
      EraseLocked(found);
    };
    if (item.block != nullptr) accept(item.block.get());
    for (const SignedVotePtr& vote : item.votes) accept(vote.get());
  }
  for (const auto& [stream, id] : accepted) verdict_(stream, id, v1::Verdict::ACCEPT);
}

void EngineGossip::Reset() {
  std::lock_guard lock(mutex_);
  for (auto it = items_.begin(); it != items_.end();) {
    const auto item = it++;
    item->second.stream = 0;
    if (item->second.state == State::kQueued) EraseLocked(item);
  }
}

void EngineGossip::Tick(SteadyTime now) {
  std::lock_guard lock(mutex_);
  // In the order in which they came.
  for (auto it = items_.begin(); it != items_.end() && now - it->second.came >= kVerdictTime;) {
    const auto item = it++;
    item->second.stream = 0;
    if (item->second.state == State::kQueued) EraseLocked(item);
  }
}

void EngineGossip::EraseLocked(std::map<uint64_t, Item>::iterator item) {
  const auto content = by_content_.find(AddressOf(item->second.content));
  if (content != by_content_.end() && content->second == item->first) by_content_.erase(content);
  blocks_ -= std::holds_alternative<SignedBlockPtr>(item->second.content) ? 1 : 0;
  items_.erase(item);
}

size_t EngineGossip::undecided() const {
  std::lock_guard lock(mutex_);
  return items_.size();
}

}  // namespace lean::beacon
