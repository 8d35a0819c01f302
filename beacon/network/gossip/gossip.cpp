#include "beacon/network/gossip/gossip.h"

#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "beacon/network/engine/contract.h"
#include "common/status/status_macros.h"

namespace lean::beacon {
namespace {

// The most votes in one submission.
constexpr size_t kMaxVotesAtOnce = 256;

// The origin of items whose peer has already disconnected.
constexpr uint64_t kGonePeer = 0;

// nullopt: the item waits for a block or for its slot.
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

void Add(uint64_t id, v1::Verdict::Outcome outcome, v1::Verdicts* verdicts) {
  v1::Verdict& verdict = *verdicts->add_verdicts();
  verdict.set_id(id);
  verdict.set_outcome(outcome);
}

}  // namespace

absl::Status Gossip::OnItems(uint64_t stream, const v1::GossipItems& items) {
  v1::Verdicts verdicts;
  std::map<uint64_t, std::vector<SignedVotePtr>> votes;  // by peer
  for (const v1::GossipItem& item : items.items()) {
    ASSIGN_OR_RETURN(const PeerPtr peer, peers_.OfHandle(item.peer()),
                     absl::InvalidArgumentError(absl::StrCat("items.", _.message())));
    const uint64_t from = peer == nullptr ? kGonePeer : peer->id;
    const bool is_of_newer_engine = !item.has_block() && !item.has_vote();
    if (is_of_newer_engine || (peer != nullptr && peer->ending)) {
      Add(item.id(), v1::Verdict::IGNORE, &verdicts);
    } else if (item.has_block()) {
      auto block = Take(item, codec_.block(item.block()), from, &verdicts);
      if (block != nullptr) Wait({.peer = from, .block = std::move(block)}, &verdicts);
    } else if (auto vote = Take(item, codec_.vote(item.vote()), from, &verdicts)) {
      votes[from].push_back(std::move(vote));
      if (votes[from].size() == kMaxVotesAtOnce) {
        Wait({.peer = from, .block = nullptr, .votes = std::exchange(votes[from], {})}, &verdicts);
      }
    }
  }
  for (auto& [from, together] : votes) {
    if (!together.empty()) Wait({.peer = from, .block = nullptr, .votes = std::move(together)}, &verdicts);
  }
  Send(stream, std::move(verdicts));
  Pump();
  return absl::OkStatus();
}

template <typename T>
std::shared_ptr<const T> Gossip::Take(const v1::GossipItem& item, absl::StatusOr<std::shared_ptr<const T>> content,
                                      uint64_t peer, v1::Verdicts* verdicts) {
  if (!content.ok()) {
    peers_.Blame(peer, Offence::kMalformed,
                 absl::StrCat(item.has_block() ? "block: " : "vote: ", content.status().message()));
    Add(item.id(), v1::Verdict::REJECT, verdicts);
    return nullptr;
  }
  MutexLock lock(mutex_);
  items_[content->get()] = {.id = item.id(), .content = *content, .came = clock_.Steady()};
  return *std::move(content);
}

void Gossip::Wait(Batch batch, v1::Verdicts* verdicts) {
  MutexLock lock(mutex_);
  counts_.blocks += batch.block != nullptr ? 1 : 0;
  counts_.votes += batch.votes.size();
  const size_t bytes = batch.block != nullptr ? BytesOf(*batch.block) : batch.votes.size() * sizeof(SignedAttestation);
  FairQueue<Batch, 1>& queue = batch.block != nullptr ? blocks_ : votes_;
  const std::string peer = std::to_string(batch.peer);
  for (const Batch& displaced : queue.Push(0, peer, /*line=*/"", bytes, std::move(batch))) {
    for (const void* content : displaced.contents()) DecideLocked(content, v1::Verdict::IGNORE, verdicts);
  }
}

void Gossip::Pump() {
  MutexLock lock(mutex_);
  // Outcomes may arrive during Submit, even on this thread. The thread that pumps continues for them.
  if (std::exchange(pumping_, true)) return;
  while (work_ < max_work_) {
    std::optional<Batch> batch = blocks_.Pop();
    if (!batch.has_value()) batch = votes_.Pop();
    if (!batch.has_value()) break;
    work_ += batch->work();
    lock.Unlock();
    Submit(*batch);
    lock.Lock();
  }
  pumping_ = false;
}

void Gossip::Submit(const Batch& batch) {
  const Origin origin = Origin::Peer(batch.peer);
  if (batch.block != nullptr) {
    return sink_.block(batch.block, origin,
                       [this, batch](const SubmitOutcome& outcome) { OnOutcomes(batch, {outcome}); });
  }
  sink_.votes(batch.votes, origin,
              [this, batch](const std::vector<SubmitOutcome>& outcomes) { OnOutcomes(batch, outcomes); });
}

void Gossip::OnOutcomes(const Batch& batch, const std::vector<SubmitOutcome>& outcomes) {
  uint64_t stream = 0;
  v1::Verdicts verdicts;
  {
    MutexLock lock(mutex_);
    stream = stream_;
    const std::vector<const void*> contents = batch.contents();
    for (size_t i = 0; i < contents.size(); ++i) {
      DecideLocked(contents[i], VerdictOn(outcomes[i]), &verdicts);
      counts_.duplicates += outcomes[i].status == SubmitOutcome::kAlreadyKnown ? 1 : 0;
    }
    work_ -= batch.work();
  }
  Send(stream, std::move(verdicts));
  const absl::string_view what = batch.block != nullptr ? "block" : "vote";
  for (const SubmitOutcome& outcome : outcomes) {
    if (outcome.status != SubmitOutcome::kRefused || !IsOffence(outcome.reason)) continue;
    peers_.Blame(batch.peer, Offence::kInvalidItem, absl::StrCat(what, ": ", outcome.reason, ": ", outcome.message));
  }
  Pump();
}

std::vector<const void*> Gossip::Batch::contents() const {
  std::vector<const void*> contents;
  if (block != nullptr) contents.push_back(block.get());
  for (const SignedVotePtr& vote : votes) contents.push_back(vote.get());
  return contents;
}

void Gossip::OnAccepted(const OutboundItem& item) {
  uint64_t stream = 0;
  v1::Verdicts verdicts;
  {
    MutexLock lock(mutex_);
    stream = stream_;
    if (item.block != nullptr) DecideLocked(item.block.get(), v1::Verdict::ACCEPT, &verdicts);
    for (const SignedVotePtr& vote : item.votes) DecideLocked(vote.get(), v1::Verdict::ACCEPT, &verdicts);
  }
  Send(stream, std::move(verdicts));
}

void Gossip::DecideLocked(const void* content, std::optional<v1::Verdict::Outcome> outcome, v1::Verdicts* verdicts) {
  const auto found = items_.find(content);
  if (found == items_.end()) return;  // not an item, or already accepted
  Item& item = found->second;
  item.queued = !outcome.has_value();
  if (item.queued && item.due) return;
  if (item.due) Add(item.id, *outcome, verdicts);
  items_.erase(found);
}

void Gossip::Send(uint64_t stream, v1::Verdicts verdicts) {
  if (verdicts.verdicts().empty()) return;
  v1::BeaconToEngine message;
  *message.mutable_verdicts() = std::move(verdicts);
  send_(stream, std::move(message));
}

void Gossip::Reset(uint64_t stream) {
  MutexLock lock(mutex_);
  stream_ = stream;
  GiveUpLocked(SteadyTime::max());
}

void Gossip::Tick(SteadyTime now) {
  MutexLock lock(mutex_);
  GiveUpLocked(now - kVerdictTime);
}

void Gossip::GiveUpLocked(SteadyTime until) {
  for (auto it = items_.begin(); it != items_.end();) {
    const auto item = it++;
    if (item->second.came > until) continue;
    item->second.due = false;
    if (item->second.queued) items_.erase(item);  // otherwise its outcome is pending
  }
}

Gossip::Counts Gossip::counts() const {
  MutexLock lock(mutex_);
  return counts_;
}

size_t Gossip::undecided() const {
  MutexLock lock(mutex_);
  return items_.size();
}

metrics::FootprintList Gossip::queues() const {
  MutexLock lock(mutex_);
  return {{.name = "gossip", .items = blocks_.size() + votes_.size(), .bytes = blocks_.weight() + votes_.weight()},
          {.name = "undecided", .items = items_.size(), .bytes = items_.capacity() * sizeof(Items::value_type)}};
}

}  // namespace lean::beacon
