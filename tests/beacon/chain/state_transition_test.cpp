#include "beacon/chain/state_transition.h"

#include <cstdint>

#include "gtest/gtest.h"

namespace lean::beacon {
namespace {

TEST(IntegerSqrt, IsExactOverTheWholeRange) {
  EXPECT_EQ(IntegerSqrt(0), 0u);
  EXPECT_EQ(IntegerSqrt(UINT64_MAX), 0xffffffffu);
  // Around every kind of square, also those that a double cannot tell apart from their neighbours.
  for (uint64_t root : {uint64_t{1}, uint64_t{2}, uint64_t{3}, uint64_t{1000}, uint64_t{94906267}, uint64_t{0xfffffffe},
                        uint64_t{0xffffffff}}) {
    EXPECT_EQ(IntegerSqrt(root * root), root);
    EXPECT_EQ(IntegerSqrt(root * root - 1), root - 1);
    EXPECT_EQ(IntegerSqrt(root * root + 1), root);
  }
}

TEST(IsJustifiableAfter, FollowsItsDefinition) {
  const auto by_definition = [](uint64_t distance) {
    if (distance <= 5) return true;
    for (uint64_t n = 0; n * n <= distance; ++n) {
      if (n * n == distance || n * (n + 1) == distance) return true;
    }
    return false;
  };
  for (uint64_t distance = 0; distance < 3000; ++distance) {
    EXPECT_EQ(IsJustifiableAfter(77 + distance, 77), by_definition(distance)) << distance;
  }
}

TEST(IsJustifiableAfter, HasNoLargestDistance) {
  EXPECT_FALSE(IsJustifiableAfter(UINT64_MAX, 0));
  EXPECT_TRUE(IsJustifiableAfter(uint64_t{0xffffffff} * 0xffffffff, 0));
  EXPECT_TRUE(IsJustifiableAfter(uint64_t{0xfffffffe} * 0xffffffff, 0));
}

}  // namespace
}  // namespace lean::beacon
