// Against a plain model, on random sequences of calls.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "beacon/services/dependency_queue.h"
#include "tests/beacon/services/support/chain_source.h"

namespace lean::beacon {
namespace {

constexpr int kOrigins = 4;
constexpr int kBlocks = 5;  // that items wait for

WaitingItem RandomItem(uint64_t id) {
  WaitingItem item{.content = std::make_shared<const SignedAttestation>(),
                   .root = RootOf(id),
                   .origin = Origin::Peer(*rc::gen::inRange<uint64_t>(0, kOrigins))};
  if (*rc::gen::arbitrary<bool>()) {
    const auto votes = *rc::gen::inRange<size_t>(0, 4);
    auto block = std::make_shared<SignedBlockWithAttestation>();
    block->message.block.body.attestations = Attestations::FromVector(std::vector<Attestation>(votes)).value();
    block->signature = BlockSignatures::FromVector(std::vector<SignatureBytes>(votes + 1)).value();
    item.content = std::move(block);
    item.root = RootOf(5'000 + id);  // no vote has the root of a block
  }
  return item;
}

// What the queue should hold, in order of arrival.
struct ModelEntry {
  WaitingItem item;
  Dependency dependency;
  int64_t arrival_slot = 0;
};
using Model = std::map<uint64_t, ModelEntry>;

size_t Bytes(const Model& model) {
  size_t bytes = 0;
  for (const auto& [order, entry] : model) bytes += entry.item.bytes();
  return bytes;
}

size_t ItemsOf(const Model& model, const Origin& origin) {
  return std::count_if(model.begin(), model.end(), [&](const auto& each) { return each.second.item.origin == origin; });
}

size_t BytesOfOrigin(const Model& model, const Origin& origin) {
  size_t bytes = 0;
  for (const auto& [order, entry] : model) bytes += entry.item.origin == origin ? entry.item.bytes() : 0;
  return bytes;
}

bool EraseByRoot(Model& model, const Root& root) {
  for (auto it = model.begin(); it != model.end(); ++it) {
    if (it->second.item.root == root) {
      model.erase(it);
      return true;
    }
  }
  return false;
}

// Those of the model for which `matches`, taken out, must be `taken` in order.
template <typename Matches>
void ExpectTaken(Model& model, const std::vector<Root>& taken, Matches matches) {
  std::vector<Root> expected;
  for (auto it = model.begin(); it != model.end();) {
    if (matches(it->second)) {
      expected.push_back(it->second.item.root);
      it = model.erase(it);
    } else {
      ++it;
    }
  }
  RC_ASSERT(taken == expected);
}

std::vector<Root> RootsOf(const std::vector<DependencyQueue::Taken>& taken) {
  std::vector<Root> roots;
  for (const auto& entry : taken) roots.push_back(entry.item.root);
  return roots;
}

void CheckDisplaced(const Model& before, const WaitingItem& item, const std::vector<WaitingItem>& displaced) {
  for (const WaitingItem& other : displaced) {
    RC_ASSERT(!(other.origin == item.origin));
    // Its origin held more than the newcomer's origin does, in items or in bytes.
    RC_ASSERT(ItemsOf(before, other.origin) > ItemsOf(before, item.origin) ||
              BytesOfOrigin(before, other.origin) > BytesOfOrigin(before, item.origin));
  }
}

void AddToBoth(DependencyQueue& queue, Model& model, const DependencyLimits& limits, uint64_t order, int64_t slot,
               uint64_t id) {
  const WaitingItem item = RandomItem(id);
  Dependency dependency = RootOf(10'000 + *rc::gen::inRange(0, kBlocks));
  if (*rc::gen::arbitrary<bool>()) dependency = slot + *rc::gen::inRange<int64_t>(0, 3);
  const Model before = model;
  const bool waiting =
      std::any_of(model.begin(), model.end(), [&](const auto& each) { return each.second.item.root == item.root; });
  std::vector<WaitingItem> displaced;
  const DependencyQueue::AddResult result = queue.Add(item, dependency, slot, &displaced);
  RC_ASSERT((result == DependencyQueue::AddResult::kAlreadyWaiting) == waiting);
  if (result != DependencyQueue::AddResult::kAdded) {
    RC_ASSERT(displaced.empty());
    if (result == DependencyQueue::AddResult::kFull) {
      RC_ASSERT(model.size() + 1 > limits.max_items || Bytes(model) + item.bytes() > limits.max_bytes);
    } else {
      for (auto& [other_order, entry] : model) {
        if (!(entry.item.root == item.root)) continue;
        // The copy may have changed hands.
        if (BytesOfOrigin(model, item.origin) + entry.item.bytes() < BytesOfOrigin(before, entry.item.origin)) {
          entry.item.origin = item.origin;
        }
        break;
      }
    }
    return;
  }
  CheckDisplaced(before, item, displaced);
  for (const WaitingItem& other : displaced) RC_ASSERT(EraseByRoot(model, other.root));
  model[order] = {item, dependency, slot};
}

TEST(DependencyQueueProperties, AgreesWithAModelAndKeepsItsBounds) {
  const bool holds = rc::check([] {
    const DependencyLimits limits{.max_items = *rc::gen::inRange<size_t>(1, 12),
                                  .max_bytes = *rc::gen::inRange<size_t>(4'000, 60'000),
                                  .expiry_slots = *rc::gen::inRange<int64_t>(1, 6)};
    DependencyQueue queue(limits);
    Model model;
    int64_t slot = -2;
    const int steps = *rc::gen::inRange(1, 80);
    for (int step = 0; step < steps; ++step) {
      switch (*rc::gen::inRange(0, 8)) {
        case 0: {
          const Root block = RootOf(10'000 + *rc::gen::inRange(0, kBlocks));
          ExpectTaken(model, RootsOf(queue.TakeForBlock(block)),
                      [&](const ModelEntry& entry) { return entry.dependency == Dependency(block); });
          break;
        }
        case 1:
          ++slot;
          break;
        case 2:
          ExpectTaken(model, RootsOf(queue.TakeForSlot(slot)), [&](const ModelEntry& entry) {
            return std::holds_alternative<int64_t>(entry.dependency) && std::get<int64_t>(entry.dependency) <= slot;
          });
          break;
        case 3: {
          std::vector<Root> expired;
          for (const DependencyQueue::Taken& taken : queue.TakeExpired(slot)) expired.push_back(taken.item.root);
          ExpectTaken(model, expired,
                      [&](const ModelEntry& entry) { return slot - entry.arrival_slot >= limits.expiry_slots; });
          break;
        }
        default:
          AddToBoth(queue, model, limits, step, slot, *rc::gen::inRange<uint64_t>(0, 60));
      }
      RC_ASSERT(queue.blocks() + queue.votes() == model.size());
      RC_ASSERT(queue.bytes() == Bytes(model));
      RC_ASSERT(model.size() <= limits.max_items);
      RC_ASSERT(queue.bytes() <= limits.max_bytes);
    }
  });
  EXPECT_TRUE(holds);
}

// However much one origin sends, others that stay below an even share lose nothing and are never turned away.
TEST(DependencyQueueProperties, AFloodDoesNotReachModestOrigins) {
  const bool holds = rc::check([] {
    const DependencyLimits limits{.max_items = 40};
    constexpr uint64_t kModest = 3;
    constexpr size_t kShare = 40 / (kModest + 1);
    DependencyQueue queue(limits);
    std::map<Origin, std::set<Root>> modest;
    const int steps = *rc::gen::inRange(50, 300);
    for (int step = 0; step < steps; ++step) {
      const uint64_t peer = *rc::gen::inRange<uint64_t>(0, 3 * kModest);  // the flood is peer 0 and all above
      const bool is_modest = peer >= 1 && peer <= kModest;
      const Origin origin = Origin::Peer(is_modest ? peer : 0);
      if (is_modest && modest[origin].size() >= kShare) continue;
      WaitingItem item{.content = std::make_shared<const SignedAttestation>(),
                       .root = RootOf(static_cast<uint64_t>(step)),
                       .origin = origin};
      std::vector<WaitingItem> displaced;
      const DependencyQueue::AddResult result = queue.Add(item, RootOf(10'000), 0, &displaced);
      for (const WaitingItem& other : displaced) RC_ASSERT(other.origin == Origin::Peer(0));
      if (!is_modest) continue;
      RC_ASSERT(result == DependencyQueue::AddResult::kAdded);
      modest[origin].insert(item.root);
    }
    std::set<Root> left;
    for (const DependencyQueue::Taken& taken : queue.TakeForBlock(RootOf(10'000))) left.insert(taken.item.root);
    for (const auto& [origin, roots] : modest) {
      RC_ASSERT(std::includes(left.begin(), left.end(), roots.begin(), roots.end()));
    }
  });
  EXPECT_TRUE(holds);
}

}  // namespace
}  // namespace lean::beacon
