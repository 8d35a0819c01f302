// The incremental fork choice against the reference's walk over everything.
#include "beacon/chain/fork_choice.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "rapidcheck.h"
#include "tests/beacon/chain/chain_testing.h"

namespace lean::beacon {
namespace {

Root RootOf(uint64_t seed) {
  Root root;
  std::mt19937_64 random(seed);
  for (uint8_t& byte : root.data) byte = static_cast<uint8_t>(random());
  return root;
}

SignedVotePtr VoteFor(uint64_t validator, const Root& head) {
  AttestationData data;
  data.head.root = head;
  return SignVote(validator, data);
}

// Store._compute_lmd_ghost_head, line by line.
struct NaiveForkChoice {
  struct Block {
    Root parent;
    uint64_t slot = 0;
  };
  std::map<Root, Block> blocks;
  std::map<uint64_t, Root> votes;

  Root Head(const Root& start, const std::map<uint64_t, Root>& counted, uint64_t min_score) const {
    const uint64_t start_slot = blocks.at(start).slot;
    std::map<Root, uint64_t> weights;
    for (const auto& [validator, head] : counted) {
      Root root = head;
      while (blocks.contains(root) && blocks.at(root).slot > start_slot) {
        ++weights[root];
        root = blocks.at(root).parent;
      }
    }
    Root head = start;
    while (true) {
      std::optional<std::pair<uint64_t, Root>> best;
      for (const auto& [root, block] : blocks) {
        if (block.parent != head || root == head || (min_score > 0 && weights[root] < min_score)) continue;
        best = std::max(best.value_or(std::pair(weights[root], root)), std::pair(weights[root], root));
      }
      if (!best.has_value()) return head;
      head = best->second;
    }
  }
};

constexpr uint64_t kVoters = 9;

// One random history: blocks, votes, walks from random starts, pruning now and then.
void RunAgainstNaive(uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto below = [&random](uint64_t bound) { return random() % bound; };
  const Root anchor = RootOf(seed);
  ForkChoice fork_choice(anchor, Root(), 0);
  NaiveForkChoice naive;
  naive.blocks[anchor] = {};
  std::vector<Root> roots = {anchor};
  Root start = anchor;
  // Mostly chains, some forks.
  const uint64_t reach = 1 + below(6);
  for (int step = 0; step < 250; ++step) {
    switch (below(4)) {
      case 0:
      case 1: {
        const Root parent = roots[roots.size() - 1 - below(std::min<uint64_t>(reach, roots.size()))];
        const uint64_t slot = naive.blocks[parent].slot + 1 + below(3);
        const Root root = RootOf(seed * 1000 + step + 1);
        RC_ASSERT(fork_choice.AddBlock(root, parent, slot) == fork_choice.Contains(parent));
        naive.blocks[root] = {parent, slot};
        roots.push_back(root);
        break;
      }
      case 2: {
        const uint64_t validator = below(kVoters);
        // Some for blocks that nobody knows.
        const Root head =
            below(10) == 0 ? RootOf(seed + 77) : roots[roots.size() - 1 - below(std::min<uint64_t>(8, roots.size()))];
        fork_choice.MoveVote(validator, head);
        naive.votes[validator] = head;
        break;
      }
      case 3: {
        const Root candidate = roots[below(roots.size())];
        if (below(3) == 0 && fork_choice.Descends(candidate, start)) start = candidate;
        if (below(4) == 0) fork_choice.Prune(start);
        break;
      }
    }
    if (below(2) == 0) continue;
    RC_ASSERT(fork_choice.UpdateHead(start) == naive.Head(start, naive.votes, 0));

    // The head that further votes would lead to, without a change.
    VoteMap more;
    std::map<uint64_t, Root> moved = naive.votes;
    for (uint64_t validator = 0; validator < kVoters; ++validator) {
      if (below(2) == 0) continue;
      moved[validator] = below(10) == 0 ? RootOf(seed + 78) : roots[below(roots.size())];
      more.Set(VoteFor(validator, moved[validator]));
    }
    RC_ASSERT(fork_choice.HeadWith(start, more) == naive.Head(start, moved, 0));
    RC_ASSERT(fork_choice.UpdateHead(start) == naive.Head(start, naive.votes, 0));

    VoteMap pending;
    std::map<uint64_t, Root> pending_heads;
    const uint64_t recent = 1 + below(6);
    for (uint64_t validator = 0; validator < kVoters; ++validator) {
      if (below(5) == 0) continue;
      const Root head = roots[roots.size() - 1 - below(std::min<uint64_t>(recent, roots.size()))];
      pending.Set(VoteFor(validator, head));
      pending_heads[validator] = head;
    }
    const uint64_t min_score = below(kVoters + 1);
    RC_ASSERT(fork_choice.FindWithScore(start, pending, min_score) == naive.Head(start, pending_heads, min_score));
  }
}

TEST(ForkChoice, AgreesWithTheWalkOverEverything) {
  EXPECT_TRUE(rc::check([] { RunAgainstNaive(*rc::gen::inRange<uint64_t>(0, 1'000'000)); }));
}

TEST(ForkChoice, BreaksTiesByTheLargerRoot) {
  Root small, large;
  small.data[0] = 1;
  large.data[0] = 2;
  ForkChoice fork_choice(Root(), Root(), 0);
  fork_choice.AddBlock(large, Root(), 1);
  fork_choice.AddBlock(small, Root(), 1);
  EXPECT_EQ(fork_choice.UpdateHead(Root()), large);
  fork_choice.MoveVote(0, small);
  EXPECT_EQ(fork_choice.UpdateHead(Root()), small);
  fork_choice.MoveVote(1, large);
  EXPECT_EQ(fork_choice.UpdateHead(Root()), large);
}

TEST(ForkChoice, DescendsKnowsAncestorsAtAnyDistance) {
  ForkChoice fork_choice(RootOf(0), Root(), 0);
  for (uint64_t i = 1; i <= 300; ++i) fork_choice.AddBlock(RootOf(i), RootOf(i - 1), i);
  fork_choice.AddBlock(RootOf(1000), RootOf(150), 400);
  for (uint64_t i = 0; i <= 300; ++i) {
    EXPECT_TRUE(fork_choice.Descends(RootOf(300), RootOf(i)));
    EXPECT_EQ(fork_choice.Descends(RootOf(1000), RootOf(i)), i <= 150);
  }
  EXPECT_FALSE(fork_choice.Descends(RootOf(1), RootOf(2)));
  EXPECT_FALSE(fork_choice.Descends(RootOf(5000), RootOf(0)));
}

TEST(ForkChoice, PruneKeepsWhatDescends) {
  ForkChoice fork_choice(RootOf(0), Root(), 0);
  for (uint64_t i = 1; i <= 200; ++i) fork_choice.AddBlock(RootOf(i), RootOf(i - 1), i);
  fork_choice.AddBlock(RootOf(1000), RootOf(10), 201);
  fork_choice.MoveVote(0, RootOf(1000));
  fork_choice.MoveVote(1, RootOf(200));
  fork_choice.Prune(RootOf(190));
  EXPECT_EQ(fork_choice.size(), 11u);
  EXPECT_FALSE(fork_choice.Contains(RootOf(1000)));
  EXPECT_EQ(fork_choice.UpdateHead(RootOf(190)), RootOf(200));
  EXPECT_EQ(fork_choice.Nodes(RootOf(190)).front().weight, 1u);
  // Its vote counted on the branch that is gone, and can come back.
  fork_choice.MoveVote(0, RootOf(195));
  fork_choice.UpdateHead(RootOf(190));
  EXPECT_EQ(fork_choice.Nodes(RootOf(190)).front().weight, 2u);
}

}  // namespace
}  // namespace lean::beacon
