// What the beacon's own validators made of late, for an engine that was not there, or had no peers, to publish it.
#ifndef LEAN_BEACON_NETWORK_ENGINE_OWN_ITEMS_H_
#define LEAN_BEACON_NETWORK_ENGINE_OWN_ITEMS_H_

#include <chrono>
#include <cstddef>
#include <deque>
#include <utility>
#include <vector>

#include "beacon/chain/chain_types.h"
#include "common/clock/clock.h"

namespace lean::beacon {

// Bounded in number and age; the oldest go first. Thread compatible.
class OwnItems {
 public:
  static constexpr size_t kMostBlocks = 8;

  // max_votes: of those that are kept.
  OwnItems(std::chrono::milliseconds max_age, size_t max_votes) : max_age_(max_age), max_votes_(max_votes) {}

  void Add(SignedBlockPtr block, SteadyTime now) { Add(blocks_, std::move(block), now, kMostBlocks); }
  void Add(SignedVotePtr vote, SteadyTime now) { Add(votes_, std::move(vote), now, max_votes_); }

  // In the order in which they came.
  std::vector<SignedBlockPtr> Blocks(SteadyTime now) { return Young(blocks_, now); }
  std::vector<SignedVotePtr> Votes(SteadyTime now) { return Young(votes_, now); }

 private:
  template <typename T>
  using Kept = std::deque<std::pair<SteadyTime, T>>;

  template <typename T>
  void Add(Kept<T>& kept, T item, SteadyTime now, size_t most) {
    DropOld(kept, now);
    if (kept.size() >= most) kept.pop_front();
    kept.emplace_back(now, std::move(item));
  }

  template <typename T>
  std::vector<T> Young(Kept<T>& kept, SteadyTime now) {
    DropOld(kept, now);
    std::vector<T> items;
    for (const auto& [came, item] : kept) items.push_back(item);
    return items;
  }

  template <typename T>
  void DropOld(Kept<T>& kept, SteadyTime now) {
    while (!kept.empty() && now - kept.front().first > max_age_) kept.pop_front();
  }

  const std::chrono::milliseconds max_age_;
  const size_t max_votes_;
  Kept<SignedBlockPtr> blocks_;
  Kept<SignedVotePtr> votes_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_ENGINE_OWN_ITEMS_H_
