// Days without finality: memory, disk and time, and what comes after (docs/reliability.md).
#include "tests/simulation/days_of_stall.h"

#include <iostream>

#include "gtest/gtest.h"
#include "tests/common/config/temporary_folder.h"

namespace lean::simulation {
namespace {

// RocksDB's write-ahead log, which is constant.
constexpr double kLogBytes = 32 << 20;

void ExpectGood(const StallResult& result, uint64_t slots) {
  EXPECT_LT(result.finalized_before, 16u) << "nothing was to be finalized";
  EXPECT_GT(result.blocks, slots / 2);
  EXPECT_LE(result.held_states, 512u + 3);
  EXPECT_LE(result.held_blocks, 512u + 1);
  EXPECT_LE(result.heap_bytes, result.allowed_heap_bytes);
  EXPECT_GE(static_cast<double>(result.disk_bytes), 0.9 * static_cast<double>(result.body_bytes));
  EXPECT_LE(static_cast<double>(result.disk_bytes), 1.1 * static_cast<double>(result.body_bytes) + kLogBytes);
  EXPECT_LE(result.last_ms, 2 * result.first_ms);
  EXPECT_GT(result.slots_to_finality, 0u) << "finality has not come back";
  EXPECT_TRUE(result.fresh_node_has_head);
}

TEST(DaysOfStall, AfterAThousandSlots) {
  const TemporaryFolder folder;
  ExpectGood(RunStall({.folder = folder.path(), .validators = 64, .present = 38, .slots = 1'000, .measured = 250}),
             1'000);
}

}  // namespace
}  // namespace lean::simulation
