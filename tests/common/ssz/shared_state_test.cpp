// States that share nodes are copied, changed and hashed by threads at a time (run under the thread sanitizer).
#include <cstdint>
#include <thread>
#include <vector>

#include "common/containers/containers.h"
#include "gtest/gtest.h"

namespace lean {
namespace {

Root SlotRoot(uint64_t slot) {
  Root root = ssz::HashTreeRoot(slot + 1);
  root.data[31] = 0x5a;
  return root;
}

// The state after `count` more slots, the work of one branch; different branches differ.
State Extend(State state, uint64_t branch, uint64_t count) {
  for (uint64_t i = 0; i < count; ++i) {
    ++state.slot;
    EXPECT_TRUE(state.historical_block_hashes.push_back(SlotRoot(1000 * branch + i)));
    EXPECT_TRUE(state.justified_slots.push_back(i % 2 == branch % 2));
    state.historical_block_hashes.Set(i, SlotRoot(branch));
    ssz::Bits votes = state.justifications_validators.ToBits();
    votes.Set((branch + 7 * i) % votes.size(), true);
    EXPECT_TRUE(state.justifications_validators.Assign(votes).ok());
    state.latest_block_header.state_root = ssz::HashTreeRoot(state);
  }
  return state;
}

TEST(SharedStateTest, ThreadsMayExtendOneStateAtATime) {
  constexpr uint64_t kBranches = 4;
  constexpr uint64_t kSlots = 100;
  State base;
  ASSERT_TRUE(base.justifications_validators.AppendZeros(1000));
  base.validators = *Validators::FromVector(std::vector<Validator>(100));
  base = Extend(std::move(base), 9, 50);
  const Root base_root = ssz::HashTreeRoot(base);

  std::vector<Root> expected;
  for (uint64_t branch = 0; branch < kBranches; ++branch) {
    expected.push_back(ssz::HashTreeRoot(Extend(base, branch, kSlots)));
  }
  std::vector<Root> actual(kBranches);
  {
    std::vector<std::jthread> threads;
    for (uint64_t branch = 0; branch < kBranches; ++branch) {
      threads.emplace_back([&, branch] { actual[branch] = ssz::HashTreeRoot(Extend(base, branch, kSlots)); });
    }
  }
  EXPECT_EQ(actual, expected);
  EXPECT_EQ(ssz::HashTreeRoot(base), base_root);
}

}  // namespace
}  // namespace lean
