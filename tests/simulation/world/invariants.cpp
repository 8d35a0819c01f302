#include "tests/simulation/world/invariants.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"

namespace lean::simulation {
namespace {

// Leaves that are compared: a client that is started again signs no older ones.
constexpr uint64_t kLeafSlots = 256;
// Blocks behind finality that the tree keeps before it drops any (ForkChoice::Prune).
constexpr size_t kTreeSlack = 64;

}  // namespace

const char* NameOf(Rule rule) {
  switch (rule) {
    case Rule::kFinality:
      return "finality";
    case Rule::kLeaves:
      return "leaves";
    case Rule::kLiveness:
      return "liveness";
    case Rule::kHeads:
      return "heads";
    case Rule::kHonestBan:
      return "honest_ban";
    case Rule::kMemory:
      return "memory";
    case Rule::kContract:
      return "contract";
    case Rule::kClient:
      return "client";
    case Rule::kRestore:
      return "restore";
  }
  return "unknown";
}

uint64_t RecoverySlots(uint64_t outage) {
  return 16 + 4 * static_cast<uint64_t>(std::ceil(std::sqrt(static_cast<double>(outage))));
}

void Invariants::Violate(Rule rule, uint64_t slot, std::string what) {
  if (!violation_.has_value()) violation_ = Violation{rule, slot, std::move(what)};
}

void Invariants::OnSigned(uint64_t validator, uint64_t slot, const Root& root, uint64_t now_slot) {
  const auto [leaf, is_new] = leaves_.try_emplace({slot, validator}, root);
  if (!is_new && leaf->second != root) {
    Violate(Rule::kLeaves, now_slot,
            absl::StrCat("validator ", validator, " signs ", ShortHex(root.span()), " with the leaf of slot ", slot,
                         ", which has signed ", ShortHex(leaf->second.span())));
  }
  while (!leaves_.empty() && leaves_.begin()->first.first + kLeafSlots < now_slot) leaves_.erase(leaves_.begin());
}

void Invariants::CheckFinality(size_t node, const beacon::LeanChain& chain, uint64_t now_slot) {
  const Checkpoint& finalized = chain.finalized();
  if (finalized_.empty()) finalized_.push_back(*chain.CanonicalRoot(0));
  // The highest slot of which both know the finalized chain.
  const uint64_t common = std::min<uint64_t>(finalized.slot, finalized_.size() - 1);
  const Root ours = chain.CanonicalRoot(common).value_or(Root());
  if (ours != finalized_[common]) {
    Violate(
        Rule::kFinality, now_slot,
        absl::StrCat("node ", node, " has finalized slot ", finalized.slot, " on a chain with ", ShortHex(ours.span()),
                     " at slot ", common, ", where another node has finalized ", ShortHex(finalized_[common].span())));
    return;
  }
  for (uint64_t slot = finalized_.size(); slot <= finalized.slot; ++slot) {
    finalized_.push_back(chain.CanonicalRoot(slot).value_or(Root()));
  }
}

void Invariants::CheckMemory(size_t node, const beacon::ChainService& service, uint64_t now_slot) {
  const beacon::ChainServiceOptions limits;
  const auto check = [&](const char* what, size_t held, size_t most) {
    if (held > most) {
      Violate(Rule::kMemory, now_slot, absl::StrCat("node ", node, " holds ", held, " ", what, ", at most ", most));
    }
  };
  const beacon::ChainService::QueueSizes queues = service.queue_sizes();
  check("items in flight", queues.in_flight_items, 0);  // between two events
  check("waiting items", queues.waiting_blocks + queues.waiting_votes, limits.writer.waiting.max_items);
  service.Read([&](const beacon::LeanChain& chain) {
    check("states", chain.held_states(), limits.writer.prune.states + 3);
    check("known votes", chain.known_votes().size(), chain.validator_count());
    check("pending votes", chain.pending_votes().size(), chain.validator_count());
    // One block for each slot since finality and one orphan for each, and as many that are not dropped yet. A branch
    // that arrives after its slots are finalized is dropped with the blocks of the next kTreeSlack slots.
    std::deque<uint64_t>& finalized = finalized_slots_[node];
    finalized.push_back(chain.finalized().slot);
    if (finalized.size() > kTreeSlack) finalized.pop_front();
    check("blocks of the tree", chain.tree_blocks(), 4 * (now_slot + 2 - finalized.front()) + kTreeSlack);
  });
}

}  // namespace lean::simulation
