// A chain on which nothing is finalized for 10,000 slots: what it takes in memory and in time, and that it goes on.
#include <malloc.h>

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <vector>

#include "beacon/chain/lean_chain.h"
#include "common/ssz/ssz.h"
#include "gtest/gtest.h"
#include "tests/beacon/chain/chain_testing.h"

namespace lean::simulation {
namespace {

constexpr uint64_t kValidators = 16;
constexpr uint64_t kPresent = 10;  // less than two thirds
constexpr uint64_t kWarm = 2'000;
constexpr uint64_t kLastSlot = 10'000;
// As of a beacon whose blocks are on disk.
constexpr beacon::PruneLimits kLimits{.states = 512, .blocks = 512, .block_bytes = uint64_t{32} << 20};
constexpr double kBytesPerBlock = 200;

// Bytes that the process has asked for and not given back.
int64_t HeapBytes() {
  const struct mallinfo2 info = mallinfo2();
  return static_cast<int64_t>(info.uordblks + info.hblkhd);
}

// What the protocol's own lists take in one state that shares them with no other.
int64_t ListBytes(const State& state) {
  const std::vector<uint8_t> bytes = ssz::Serialize(state);
  const int64_t before = HeapBytes();
  const State alone = ssz::Deserialize<State>(bytes).value();
  return HeapBytes() - before;
}

double CpuSeconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

// CPU time of a slot, the middle one of some stretches, so that no neighbour of the machine's counts.
class SlotTimes {
 public:
  void Begin() { began_ = CpuSeconds(); }
  void End() { times_.push_back(CpuSeconds() - began_); }
  double Middle() {
    std::nth_element(times_.begin(), times_.begin() + times_.size() / 2, times_.end());
    return times_[times_.size() / 2];
  }

 private:
  double began_ = 0;
  std::vector<double> times_;
};

TEST(Stall, TakesAFewBytesABlockAndNoMoreTimeASlot) {
  beacon::LeanChain chain = beacon::MakeChain(kValidators);
  SlotTimes early, late;
  int64_t warm_heap = 0;
  int64_t warm_lists = 0;
  size_t warm_blocks = 0;
  for (uint64_t slot = 1; slot <= kLastSlot; ++slot) {
    SlotTimes* times = slot > 100 && slot <= 260 ? &early : slot > kLastSlot - 160 ? &late : nullptr;
    if (times != nullptr) times->Begin();
    beacon::RunSlot(chain, slot, kPresent);
    chain.Prune(kLimits);
    if (times != nullptr) times->End();
    if (slot == kWarm) {
      warm_lists = ListBytes(*chain.head_state());
      warm_blocks = chain.imported_blocks();
      warm_heap = HeapBytes();
    }
  }
  ASSERT_GT(chain.head().slot, kLastSlot - kValidators);
  ASSERT_LT(chain.finalized().slot, 10u) << "nothing was to be finalized";
  EXPECT_LE(chain.held_states(), kLimits.states);

  const int64_t lists = ListBytes(*chain.head_state()) - warm_lists;
  const auto blocks = static_cast<double>(chain.imported_blocks() - warm_blocks);
  const double per_block = static_cast<double>(HeapBytes() - warm_heap - lists) / blocks;
  RecordProperty("bytes_per_block", static_cast<int>(per_block));
  RecordProperty("list_bytes_per_block", static_cast<int>(static_cast<double>(lists) / blocks));
  EXPECT_LT(per_block, kBytesPerBlock);

  const double early_us = early.Middle() * 1e6;
  const double late_us = late.Middle() * 1e6;
  RecordProperty("early_us", static_cast<int>(early_us));
  RecordProperty("late_us", static_cast<int>(late_us));
  EXPECT_LT(late_us, 3 * early_us) << "of slot 10,000 against slot 100";

  // All are back: the step that finalizes clears the tree of thousands of blocks.
  double longest = 0;
  uint64_t slot = kLastSlot;
  while (chain.finalized().slot < kLastSlot && slot < kLastSlot + 400) {
    beacon::RunSlot(chain, ++slot);
    const double begin = CpuSeconds();
    chain.Prune(kLimits);
    longest = std::max(longest, CpuSeconds() - begin);
  }
  EXPECT_GE(chain.finalized().slot, kLastSlot);
  EXPECT_LT(chain.tree_blocks(), 500u);
  RecordProperty("longest_prune_us", static_cast<int>(longest * 1e6));
  EXPECT_LT(longest, 0.5);
}

}  // namespace
}  // namespace lean::simulation
