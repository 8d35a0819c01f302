#include "beacon/sync/roots/root_requests.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/bytes/bytes.h"
#include "common/ssz/ssz.h"

namespace lean::beacon {

void RootRequests::Want(const WantedRoot& wanted) {
  auto found = entries_.find(wanted.root);
  if (found == entries_.end()) {
    // An ancestor of a requested block.
    const auto child = entries_.find(wanted.wanted_by);
    const size_t depth = child == entries_.end() ? 0 : child->second.depth + 1;
    const auto of_origin = std::count_if(entries_.begin(), entries_.end(),
                                         [&](const auto& entry) { return entry.second.origin == wanted.origin; });
    if (depth > options_.max_depth || entries_.size() >= options_.max_roots ||
        static_cast<size_t>(of_origin) >= options_.max_roots_per_origin) {
      return;
    }
    found = entries_.try_emplace(wanted.root).first;
    found->second.origin = wanted.origin;
    found->second.depth = depth;
  }
  Entry& entry = found->second;
  // It came and waited, and does not wait any more: it was displaced or dropped.
  if (std::exchange(entry.waits, false)) entry.open = false;
  entry.expires_slot = std::max(entry.expires_slot, wanted.expires_slot);
  const bool known_source =
      std::find(entry.sources.begin(), entry.sources.end(), wanted.origin.peer) != entry.sources.end();
  if (wanted.origin.kind == Origin::kPeer && !known_source) entry.sources.push_back(wanted.origin.peer);
}

void RootRequests::Expire(int64_t slot) {
  std::erase_if(entries_, [slot](const auto& entry) { return slot >= entry.second.expires_slot; });
  for (auto& [root, entry] : entries_) entry.expires_slot = std::min(entry.expires_slot, slot + options_.max_slots);
}

const PeerInfo* RootRequests::Choose(const Entry& entry, const std::vector<PeerInfo>& peers,
                                     const std::function<bool(uint64_t)>& may_ask) const {
  const auto may = [&](const PeerInfo& peer) { return !entry.asked.contains(peer.id) && may_ask(peer.id); };
  for (const uint64_t source : entry.sources) {
    const auto peer =
        std::find_if(peers.begin(), peers.end(), [&](const PeerInfo& info) { return info.id == source && may(info); });
    if (peer != peers.end()) return &*peer;
  }
  const auto peer = std::find_if(peers.begin(), peers.end(), may);
  return peer == peers.end() ? nullptr : &*peer;
}

std::vector<RootRequests::Ask> RootRequests::Next(const std::vector<PeerInfo>& peers,
                                                  const std::function<bool(uint64_t)>& may_ask, SteadyTime now) {
  std::vector<Ask> asks;
  const auto ask_of = [&](uint64_t peer) {
    return std::find_if(asks.begin(), asks.end(), [peer](const Ask& ask) { return ask.peer == peer; });
  };
  // One request to a peer at a time.
  const auto has_room = [&](uint64_t peer) {
    const auto ask = ask_of(peer);
    return ask == asks.end() ? may_ask(peer) : ask->roots.size() < options_.roots_per_request;
  };
  for (auto& [root, entry] : entries_) {
    if (entry.open || now < entry.not_before) continue;
    const PeerInfo* peer = Choose(entry, peers, has_room);
    if (peer == nullptr) {
      const bool all_asked = std::all_of(
          peers.begin(), peers.end(), [&asked = entry.asked](const PeerInfo& info) { return asked.contains(info.id); });
      if (all_asked && !peers.empty()) {
        entry.asked.clear();
        entry.not_before = now + options_.pause;
      }
      continue;
    }
    auto ask = ask_of(peer->id);
    if (ask == asks.end()) ask = asks.insert(asks.end(), Ask{.peer = peer->id, .roots = {}});
    ask->roots.push_back(root);
    entry.open = true;
    entry.asked.insert(peer->id);
  }
  return asks;
}

void RootRequests::Missed(const Root& root) {
  const auto found = entries_.find(root);
  if (found != entries_.end()) found->second.open = false;
}

void RootRequests::Waits(const Root& root) {
  const auto found = entries_.find(root);
  if (found != entries_.end()) found->second.waits = true;
}

std::vector<Root> RootRequests::Roots() const {
  std::vector<Root> roots;
  for (const auto& [root, entry] : entries_) roots.push_back(root);
  return roots;
}

void RootSync::Update(SteadyTime now) {
  requests_.Expire(context_.chain.CurrentSlot());
  if (requests_.size() == 0) return;
  const std::vector<Root> roots = requests_.Roots();
  const std::vector<Root> here = context_.chain.Read([&](const LeanChain& chain) {
    std::vector<Root> known;
    std::copy_if(roots.begin(), roots.end(), std::back_inserter(known),
                 [&](const Root& root) { return chain.HasBlock(root); });
    return known;
  });
  for (const Root& root : here) requests_.Resolve(root);

  // Peers that are not believed come last. A peer that has named a root probably has the block.
  std::vector<PeerInfo> peers = context_.book.believed();
  for (const PeerInfo& peer : context_.book.linked()) {
    const bool believed = std::any_of(peers.begin(), peers.end(), [&](const PeerInfo& p) { return p.id == peer.id; });
    if (!believed) peers.push_back(peer);
  }
  const auto may_ask = [&](uint64_t peer) { return context_.book.MayAsk(peer, now); };
  for (RootRequests::Ask& ask : requests_.Next(peers, may_ask, now)) Send(std::move(ask), now);
}

void RootSync::Send(RootRequests::Ask ask, SteadyTime now) {
  context_.log->debug("roots_asked peer={} roots={} first={}", PeerName(context_.book, ask.peer), ask.roots.size(),
                      ShortHex(ask.roots.front().span()));
  context_.book.Asked(ask.peer);
  context_.peers.BlocksByRoot(
      ask.peer, ask.roots,
      [this, inbox = context_.inbox, ask, now](absl::StatusOr<std::vector<SignedBlockPtr>> answer) {
        inbox->Push([this, ask, now, answer = std::move(answer)] { OnAnswer(ask.peer, ask.roots, now, answer); });
      });
}

void RootSync::OnAnswer(uint64_t peer, const std::vector<Root>& asked, SteadyTime sent,
                        absl::StatusOr<std::vector<SignedBlockPtr>> answer) {
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(context_.clock.Steady() - sent);
  context_.book.Answered(peer, took);
  if (!answer.ok()) HandleFailedRequest(context_, peer, answer.status());
  std::vector<SignedBlockPtr> blocks;
  if (answer.ok()) blocks = *std::move(answer);
  std::vector<Root> roots;
  for (const SignedBlockPtr& block : blocks) roots.push_back(ssz::HashTreeRoot(block->message.block));
  for (const Root& root : asked) {
    if (std::find(roots.begin(), roots.end(), root) == roots.end()) requests_.Missed(root);
  }
  if (blocks.empty()) return;
  context_.log->debug("roots_answered peer={} blocks={}", PeerName(context_.book, peer), blocks.size());
  context_.chain.SubmitHistory(
      std::move(blocks), Origin::Peer(peer),
      [this, inbox = context_.inbox, peer, roots](std::vector<SubmitOutcome> outcomes) {
        inbox->Push([this, peer, roots, outcomes = std::move(outcomes)] { OnOutcomes(peer, outcomes, roots); });
      });
}

void RootSync::OnOutcomes(uint64_t peer, const std::vector<SubmitOutcome>& outcomes, const std::vector<Root>& roots) {
  for (size_t i = 0; i < roots.size(); ++i) {
    switch (outcomes[i].status) {
      case SubmitOutcome::kAccepted:
      case SubmitOutcome::kAlreadyKnown:
        requests_.Resolve(roots[i]);
        break;
      case SubmitOutcome::kQueued:  // its missing block was reported
        requests_.Waits(roots[i]);
        break;
      case SubmitOutcome::kShuttingDown:
        break;
      default:
        requests_.Missed(roots[i]);
    }
  }
  // An answer counts as one offence, however many of its blocks are wrong.
  const auto wrong = std::find_if(outcomes.begin(), outcomes.end(), IsFaultOfSender);
  if (wrong == outcomes.end()) return;
  Blame(context_, peer, Offence::kInvalidItem,
        absl::StrCat("a block that it sent is wrong: ", wrong->reason, ", ", wrong->message));
}

}  // namespace lean::beacon
