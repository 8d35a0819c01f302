#include "tests/simulation/network.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "tests/beacon/chain/chain_testing.h"

namespace lean::simulation {

using beacon::BuiltBlock;
using beacon::LeanChain;
using beacon::SignedBlockPtr;
using beacon::SignedVotePtr;

Network::Network(const NetworkOptions& options)
    : options_(options), random_(options.seed), inboxes_(options.nodes), side_(options.nodes) {
  for (size_t i = 0; i < options.nodes; ++i) nodes_.push_back(beacon::MakeChain(options.nodes));
}

void Network::RunTo(uint64_t slot) {
  for (; now_ < slot * beacon::kChainIntervalsPerSlot; ++now_) RunInterval(now_);
}

void Network::RunInterval(uint64_t interval) {
  const uint64_t slot = interval / beacon::kChainIntervalsPerSlot;
  const uint64_t part = interval % beacon::kChainIntervalsPerSlot;
  if (part == 0) PlanPartition(slot);
  for (size_t node = 0; node < nodes_.size(); ++node) {
    nodes_[node].OnInterval(interval);
    Deliver(node, interval);
  }
  if (part == 0 && slot > 0) Propose(slot);
  if (part == 1) Vote(slot);
}

void Network::PlanPartition(uint64_t slot) {
  if (slot % options_.partition_slots != 0) return;
  std::fill(side_.begin(), side_.end(), false);
  partition_ends_ = 0;
  if (slot + options_.partition_slots > options_.calm_from_slot || Random(100) >= options_.partition_percent) return;
  for (size_t node = 0; node < side_.size(); ++node) side_[node] = Random(2) == 1;
  partition_ends_ = (slot + options_.partition_slots) * beacon::kChainIntervalsPerSlot;
}

bool Network::IsAbsent(uint64_t slot) {
  return slot < options_.calm_from_slot && Random(100) < options_.absent_percent;
}

void Network::Propose(uint64_t slot) {
  const size_t proposer = slot % nodes_.size();
  if (IsAbsent(slot)) return;
  LeanChain& chain = nodes_[proposer];
  const absl::StatusOr<beacon::ProposalSnapshot> snapshot = chain.PrepareProposal(slot);
  if (!snapshot.ok()) return;
  const absl::StatusOr<BuiltBlock> built = beacon::BuildBlock(*snapshot, slot, proposer);
  SignedBlockPtr block;
  if (built.ok()) {
    block = options_.rule == VoteRule::kOurs
                ? beacon::SignBlock(*built)
                : beacon::SignBlock(*built, beacon::ReferenceVote(beacon::ViewAfter(*snapshot, *built), slot));
  }
  if (block == nullptr || !Submit(proposer, block).ok()) {
    ++own_blocks_refused_;
    return;
  }
  Publish(proposer, block, slot * beacon::kChainIntervalsPerSlot);
}

void Network::Vote(uint64_t slot) {
  for (size_t node = 0; node < nodes_.size(); ++node) {
    LeanChain& chain = nodes_[node];
    // A proposer's vote is in its block; one that could not propose votes like the others.
    const std::optional<uint64_t> voted = chain.LatestVoteSlot(node);
    if ((voted.has_value() && *voted >= slot && slot > 0) || IsAbsent(slot)) continue;
    const beacon::VoteSnapshot view = chain.PrepareVote(slot).value();
    const AttestationData data =
        options_.rule == VoteRule::kOurs ? beacon::BuildVote(view, slot) : beacon::ReferenceVote(view, slot);
    const SignedVotePtr vote = beacon::SignVote(node, data);
    if (!Submit(node, vote).ok()) {
      ++own_votes_refused_;
      continue;
    }
    Publish(node, vote, slot * beacon::kChainIntervalsPerSlot + 1);
  }
}

void Network::Publish(size_t from, const Item& item, uint64_t interval) {
  const bool calm = interval >= options_.calm_from_slot * beacon::kChainIntervalsPerSlot;
  for (size_t to = 0; to < nodes_.size(); ++to) {
    if (to == from) continue;
    uint64_t at = interval + (calm ? 0 : Random(options_.max_delay + 1));
    if (side_[from] != side_[to]) at = std::max(at, partition_ends_);
    inboxes_[to].push_back({at, item});
    if (calm) Deliver(to, interval);
  }
}

void Network::Deliver(size_t node, uint64_t interval) {
  // An item that waits for another one is tried again whenever one has come in.
  bool progress = true;
  while (progress) {
    progress = false;
    std::vector<Delivery> waiting;
    for (Delivery& delivery : std::exchange(inboxes_[node], {})) {
      if (delivery.at <= interval) {
        const absl::Status status = Submit(node, delivery.item).status();
        if (status.ok()) progress = true;
        const std::optional<beacon::ChainErrorKind> kind = beacon::KindOf(status);
        if (kind != beacon::ChainErrorKind::kMissingRoot && kind != beacon::ChainErrorKind::kFuture) continue;
      }
      waiting.push_back(std::move(delivery));
    }
    inboxes_[node] = std::move(waiting);
  }
}

absl::StatusOr<beacon::ChainEvents> Network::Submit(size_t node, const Item& item) {
  LeanChain& chain = nodes_[node];
  const Checkpoint finalized = chain.finalized();
  const absl::StatusOr<beacon::ChainEvents> events = std::holds_alternative<SignedBlockPtr>(item)
                                                         ? chain.OnBlock(std::get<SignedBlockPtr>(item))
                                                         : chain.OnVote(std::get<SignedVotePtr>(item));
  if (events.ok() && events->finalized.has_value()) {
    const beacon::StatePtr state = chain.StateOf(events->finalized->root);
    const HistoricalBlockHashes& history = state->historical_block_hashes;
    if (finalized.slot >= history.size() || history[finalized.slot] != finalized.root) ++finality_reverts_;
  }
  return events;
}

uint64_t Network::LowestFinalizedSlot() const {
  uint64_t lowest = UINT64_MAX;
  for (const LeanChain& chain : nodes_) lowest = std::min(lowest, chain.finalized().slot);
  return lowest;
}

uint64_t Network::HighestFinalizedSlot() const {
  uint64_t highest = 0;
  for (const LeanChain& chain : nodes_) highest = std::max(highest, chain.finalized().slot);
  return highest;
}

}  // namespace lean::simulation
