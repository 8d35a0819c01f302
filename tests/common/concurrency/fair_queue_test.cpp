#include "common/concurrency/fair_queue.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace lean {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Queue = FairQueue<std::string, 3>;

std::vector<std::string> PopAll(Queue& queue) {
  std::vector<std::string> values;
  while (auto value = queue.Pop()) values.push_back(*std::move(value));
  return values;
}

TEST(FairQueue, HostsTakeTurnsAndSoDoTheirLines) {
  Queue queue({.values = 100, .weight = 1000});
  for (const char* value : {"a1-1", "a1-2", "a1-3"}) queue.Push(1, "a", "a1", 1, value);
  for (const char* value : {"a2-1", "a2-2"}) queue.Push(1, "a", "a2", 1, value);
  for (const char* value : {"b1-1", "b1-2"}) queue.Push(1, "b", "b1", 1, value);
  EXPECT_THAT(PopAll(queue), ElementsAre("a1-1", "b1-1", "a2-1", "b1-2", "a1-2", "a2-2", "a1-3"));
  EXPECT_EQ(queue.size(), 0u);
}

TEST(FairQueue, WhoComesLaterWaitsForOneOfEachOther) {
  Queue queue({.values = 100, .weight = 1000});
  for (int i = 0; i < 20; ++i) queue.Push(1, "greedy", "1", 1, "greedy");
  EXPECT_EQ(queue.Pop(), "greedy");
  queue.Push(1, "modest", "1", 1, "modest");
  EXPECT_EQ(queue.Pop(), "greedy");
  EXPECT_EQ(queue.Pop(), "modest");
}

TEST(FairQueue, ALowerRankGoesFirst) {
  Queue queue({.values = 100, .weight = 1000});
  queue.Push(2, "bad", "1", 1, "bad");
  queue.Push(1, "unknown", "1", 1, "unknown");
  queue.Push(0, "good", "1", 1, "good-1");
  queue.Push(0, "good", "1", 1, "good-2");
  EXPECT_TRUE(queue.Has(1));
  EXPECT_EQ(queue.Pop(1), "good-1");
  EXPECT_EQ(queue.Pop(1), "good-2");
  EXPECT_FALSE(queue.Has(1));
  EXPECT_EQ(queue.Pop(1), std::nullopt);
  EXPECT_THAT(PopAll(queue), ElementsAre("unknown", "bad"));
}

TEST(FairQueue, WhenItIsFullTheHeaviestOfTheWorstGivesWay) {
  Queue queue({.values = 4, .weight = 1000});
  for (const char* value : {"bad-1", "bad-2"}) queue.Push(2, "bad", "1", 1, value);
  for (const char* value : {"a-1", "a-2"}) queue.Push(1, "a", "1", 1, value);
  EXPECT_THAT(queue.Push(1, "b", "1", 1, "b-1"), ElementsAre("bad-2"));
  EXPECT_THAT(queue.Push(1, "b", "1", 1, "b-2"), ElementsAre("bad-1"));
  // Now the rank is the same: nobody pushes out who has no more than oneself.
  EXPECT_THAT(queue.Push(1, "b", "1", 1, "b-3"), ElementsAre("b-3"));
  EXPECT_THAT(queue.Push(1, "c", "1", 1, "c-1"), ElementsAre("b-2"));
  EXPECT_THAT(queue.Push(2, "bad", "1", 1, "bad-3"), ElementsAre("bad-3"));
  EXPECT_THAT(PopAll(queue), ElementsAre("a-1", "b-1", "c-1", "a-2"));
}

TEST(FairQueue, OneConnectionOfAHostDoesNotPushOutTheOthers) {
  Queue queue({.values = 6, .weight = 1000});
  queue.Push(1, "host", "honest", 1, "honest");
  for (int i = 0; i < 100; ++i) queue.Push(1, "host", "greedy", 1, "greedy");
  EXPECT_THAT(queue.Push(1, "host", "another", 1, "another"), ElementsAre("greedy"));
  EXPECT_EQ(queue.Pop(), "honest");
}

TEST(FairQueue, TheWeightIsBoundedToo) {
  Queue queue({.values = 100, .weight = 100});
  EXPECT_THAT(queue.Push(1, "light", "1", 10, "light"), IsEmpty());
  EXPECT_THAT(queue.Push(1, "heavy", "1", 60, "heavy-1"), IsEmpty());
  EXPECT_THAT(queue.Push(1, "heavy", "1", 60, "heavy-2"), ElementsAre("heavy-2"));
  EXPECT_THAT(queue.Push(0, "good", "1", 60, "good"), ElementsAre("heavy-1"));
  EXPECT_THAT(queue.Push(0, "good", "1", 101, "too heavy"), ElementsAre("light", "too heavy"));
  EXPECT_THAT(PopAll(queue), ElementsAre("good"));
}

}  // namespace
}  // namespace lean
