#include "beacon/sync/roots/root_sync.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/bytes/hex.h"
#include "common/ssz/ssz.h"

namespace lean::beacon {

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

  // Those that are not believed come last: that a root was named by one of them makes it likely to have the block.
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
      case SubmitOutcome::kQueued:  // and what it waits for has been named in turn
      case SubmitOutcome::kShuttingDown:
        break;
      default:
        requests_.Missed(roots[i]);
    }
  }
  // One answer is one offence, however many of its blocks are wrong.
  const auto wrong = std::find_if(outcomes.begin(), outcomes.end(), IsFaultOfSender);
  if (wrong == outcomes.end()) return;
  Blame(context_, peer, Offence::kInvalidItem,
        absl::StrCat("a block that it sent is wrong: ", wrong->reason, ", ", wrong->message));
}

}  // namespace lean::beacon
