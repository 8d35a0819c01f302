// Days without finality: memory and disk, and what comes after. lean-stall runs more slots and compares times as well.
#include "tests/simulation/days_of_stall.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/common/config/temporary_folder.h"

namespace lean::simulation {
namespace {

TEST(DaysOfStall, AfterAThousandSlots) {
  const TemporaryFolder folder;
  const StallOptions options{.folder = folder.path(), .validators = 64, .present = 38, .slots = 1'000, .measured = 250};
  EXPECT_THAT(BrokenBounds(options, RunStall(options)), testing::IsEmpty());
}

TEST(DaysOfStall, BrokenBoundsAreNamed) {
  const StallOptions options{.slots = 100};
  StallResult result{
      .blocks = 60, .body_bytes = 1 << 30, .disk_bytes = 1 << 30, .slots_to_finality = 8, .fresh_node_has_head = true};
  EXPECT_THAT(BrokenBounds(options, result), testing::IsEmpty());
  result.disk_bytes = 1'300'000'000;
  result.heap_bytes = 1;
  EXPECT_THAT(BrokenBounds(options, result), testing::ElementsAre("the heap has grown by 1 bytes, 0 are allowed",
                                                                  testing::HasSubstr("the disk has 1300000000 bytes")));
}

}  // namespace
}  // namespace lean::simulation
