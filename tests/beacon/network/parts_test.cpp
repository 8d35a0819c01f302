// The small parts: what is seen, rates, scores, bans, queues.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "beacon/network/dial_plan.h"
#include "beacon/network/peer_score.h"
#include "beacon/network/peer_table.h"
#include "beacon/network/rate_limits.h"
#include "beacon/network/seen_items.h"
#include "beacon/network/send_queue.h"
#include "beacon/network/targets.h"

namespace lean::beacon {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

const SteadyTime kStart = SteadyTime() + std::chrono::hours(1);

Root Key(uint8_t number) {
  Root key;
  key.data[0] = number;
  return key;
}

NodeId Node(uint8_t number) {
  NodeId node;
  node.data[0] = number;
  return node;
}

TEST(SeenItems, TellsNewFromOldAndForgetsTheOldest) {
  SeenItems seen(3);
  for (uint8_t i = 1; i <= 3; ++i) EXPECT_TRUE(seen.Insert(Key(i)));
  EXPECT_FALSE(seen.Insert(Key(1)));
  EXPECT_TRUE(seen.Insert(Key(4)));
  EXPECT_FALSE(seen.Contains(Key(1)));
  EXPECT_TRUE(seen.Contains(Key(2)));
  EXPECT_EQ(seen.size(), 3u);
}

TEST(SeenItems, WhatIsErasedIsNewAgainAndTheBoundHolds) {
  SeenItems seen(3);
  for (int round = 0; round < 100; ++round) {
    EXPECT_TRUE(seen.Insert(Key(1)));
    seen.Erase(Key(1));
  }
  for (uint8_t i = 1; i <= 10; ++i) seen.Insert(Key(i));
  EXPECT_EQ(seen.size(), 3u);
}

TEST(SeenItems, ManyThreadsAgreeOnWhoWasFirst) {
  SeenItems seen(1000);
  std::atomic<int> firsts = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) firsts += seen.Insert(Key(static_cast<uint8_t>(i)));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(firsts, 200);
}

TEST(Targets, TellTheSameFailureOnceAMinute) {
  const PeerTable table(Node(1), PeerTableLimits());
  Targets targets({"10.0.0.1:9000"}, 1);
  std::vector<int> told;
  uint64_t link = 0;
  for (int second = 0; second < 150; ++second) {
    const SteadyTime now = kStart + seconds(second);
    if (targets.Due(table, now).empty()) continue;
    targets.OnDialling("10.0.0.1:9000", ++link);
    if (targets.OnEnded(link, {.node = {}, .reason = "connection refused"}, now)) told.push_back(second);
  }
  EXPECT_GT(link, 8u) << "it is dialled more often than that";
  ASSERT_EQ(told.size(), 3u);
  EXPECT_EQ(told[0], 0);
  for (size_t i = 1; i < told.size(); ++i) {
    EXPECT_GE(told[i] - told[i - 1], 60);
    EXPECT_LE(told[i] - told[i - 1], 60 + 15) << "the longest pause";
  }
  targets.OnDialling("10.0.0.1:9000", ++link);
  EXPECT_TRUE(targets.OnEnded(link, {.node = {}, .reason = "another one"}, kStart + seconds(151)));
}

TEST(TokenBucket, GivesItsBurstThenItsRate) {
  TokenBucket bucket({.burst = 10, .per_second = 2}, kStart);
  EXPECT_FALSE(bucket.TryTake(11, kStart));
  EXPECT_TRUE(bucket.TryTake(10, kStart));
  EXPECT_FALSE(bucket.TryTake(1, kStart));
  EXPECT_FALSE(bucket.TryTake(1, kStart + milliseconds(499)));
  EXPECT_TRUE(bucket.TryTake(1, kStart + milliseconds(500)));
  EXPECT_FALSE(bucket.TryTake(1, kStart)) << "time does not go back";
  EXPECT_FALSE(bucket.TryTake(11, kStart + minutes(10)));
  EXPECT_TRUE(bucket.TryTake(10, kStart + minutes(10)));
}

TEST(RateLimits, LeaveRoomForWhatHonestPeersSend) {
  for (const uint64_t validators : {1, 4, 128, 4096}) {
    const RateLimits limits = RateLimits::For(validators, 4000);
    EXPECT_GE(limits.votes.burst, 2.0 * static_cast<double>(validators)) << "a slot's votes at once, and more";
    EXPECT_GE(limits.votes.per_second, static_cast<double>(validators) / 4);
    EXPECT_GE(limits.bytes.burst, 14e6) << "the largest block";
    EXPECT_GE(limits.blocks.per_second, 0.25);
  }
}

TEST(PeerScore, OffencesAddUpAndTimeForgives) {
  PeerScore score;
  EXPECT_EQ(score.At(kStart), 0);
  EXPECT_LE(PeerScore().Add(Offence::kMalformed, kStart), PeerScore::kDisconnectAt);
  EXPECT_GT(score.Add(Offence::kInvalidItem, kStart), PeerScore::kDisconnectAt);
  EXPECT_GT(score.Add(Offence::kInvalidItem, kStart), PeerScore::kDisconnectAt);
  EXPECT_LE(score.Add(Offence::kInvalidItem, kStart), PeerScore::kDisconnectAt);
  EXPECT_GT(score.At(kStart + seconds(60)), score.At(kStart));
  EXPECT_EQ(score.At(kStart + std::chrono::hours(1)), 0);
}

TEST(PeerScore, IsLoweredToWhatIsKnownFromElsewhere) {
  PeerScore score;
  score.LowerTo(-50, kStart);
  EXPECT_EQ(score.At(kStart), -50);
  score.LowerTo(-10, kStart);
  EXPECT_EQ(score.At(kStart), -50);
  EXPECT_EQ(score.At(kStart + seconds(100)), -30);
}

TEST(Reputation, KeepsTheLowerScoreUntilItIsForgiven) {
  Reputation reputation;
  EXPECT_EQ(reputation.Of("a", kStart), 0);
  reputation.Remember("a", -50, kStart);
  reputation.Remember("a", -20, kStart);
  EXPECT_EQ(reputation.Of("a", kStart), -50);
  EXPECT_EQ(reputation.Of("b", kStart), 0);
  EXPECT_EQ(reputation.Of("a", kStart + seconds(250)), 0);
}

TEST(Reputation, IsBoundedAndForgetsTheBest) {
  Reputation reputation;
  reputation.Remember("worst", -90, kStart);
  for (size_t i = 0; i < 2 * Reputation::kMost; ++i) reputation.Remember(std::to_string(i), -10, kStart);
  EXPECT_EQ(reputation.Of("worst", kStart), -90);
  size_t known = 0;
  for (size_t i = 0; i < 2 * Reputation::kMost; ++i) known += reputation.Of(std::to_string(i), kStart) < 0;
  EXPECT_EQ(known, Reputation::kMost - 1);
}

TEST(OffenceCounts, CountEachByItself) {
  OffenceCounts counts;
  counts.Add(Offence::kBrokeOff);
  counts.Add(Offence::kBrokeOff);
  counts.Add(Offence::kMalformed);
  for (const Offence offence : kOffences) {
    EXPECT_EQ(counts.Of(offence), offence == Offence::kBrokeOff ? 2u : offence == Offence::kMalformed ? 1u : 0u);
    EXPECT_NE(OffenceName(offence), "UNKNOWN");
  }
}

TEST(BanList, EachBanLastsTwiceAsLong) {
  BanList bans;
  EXPECT_EQ(bans.Left("a", kStart), std::nullopt);
  EXPECT_EQ(bans.Ban("a", kStart), BanList::kFirst);
  EXPECT_EQ(bans.Left("a", kStart), BanList::kFirst);
  EXPECT_EQ(bans.Left("b", kStart), std::nullopt);
  SteadyTime now = kStart + BanList::kFirst;
  EXPECT_EQ(bans.Left("a", now), std::nullopt);
  EXPECT_EQ(bans.Ban("a", now), 2 * BanList::kFirst);
  for (int i = 0; i < 10; ++i) bans.Ban("a", now);
  EXPECT_EQ(bans.Left("a", now), BanList::kLongest);
  now += BanList::kLongest + BanList::kForgotten;
  EXPECT_EQ(bans.Ban("a", now), BanList::kFirst);
}

TEST(BanList, IsBounded) {
  BanList bans;
  bans.Ban("first", kStart);
  for (size_t i = 0; i < BanList::kMost; ++i) bans.Ban(std::to_string(i), kStart + seconds(1));
  EXPECT_EQ(bans.Left("first", kStart + seconds(1)), std::nullopt);
  EXPECT_NE(bans.Left("0", kStart + seconds(1)), std::nullopt);
}

TEST(Hosts, AreReadFromAddresses) {
  EXPECT_EQ(HostOf("ipv4:10.0.0.1:4711"), "10.0.0.1");
  EXPECT_EQ(HostOf("ipv6:[::1]:4711"), "::1");
  EXPECT_EQ(HostOf("ipv6:%5B2001:db8::1%5D:4711"), "2001:db8::1");
  EXPECT_EQ(HostOf("ipv6:[::ffff:10.0.0.1]:4711"), "10.0.0.1");
  EXPECT_EQ(HostOf("10.0.0.1:9000"), "10.0.0.1");
  EXPECT_EQ(HostOf("node-1:9000"), "node-1");
  EXPECT_TRUE(IsLoopbackHost(HostOf("ipv4:127.0.0.1:1")));
  EXPECT_TRUE(IsLoopbackHost(HostOf("unix:/tmp/socket")));
  EXPECT_FALSE(IsLoopbackHost("10.0.0.1"));
}

PeerTable::Candidate From(uint64_t link, uint8_t node, bool outbound, const std::string& host = "10.0.0.1") {
  return {.link = link, .node = Node(node), .outbound = outbound, .host = host};
}

using Verdict = PeerTable::Verdict;

TEST(PeerTable, KnowsItself) {
  PeerTable table(Node(5), {});
  EXPECT_EQ(table.Admit(From(1, 5, true), kStart).verdict, Verdict::kSelf);
  EXPECT_EQ(table.size(), 0u);
}

// Both ends see the same two links, in either order, and keep the same one.
TEST(PeerTable, TwoThatDialEachOtherKeepOneLinkInEveryOrder) {
  for (const bool first_by_low : {true, false}) {
    for (const bool same_order : {true, false}) {
      PeerTable low(Node(1), {});
      PeerTable high(Node(2), {});
      // Link 1 is dialled by the lower id, link 2 by the higher one.
      const auto admit = [](PeerTable& table, bool is_low, uint64_t link) {
        return table.Admit(From(link, is_low ? 2 : 1, is_low == (link == 1)), kStart);
      };
      const auto run = [&](PeerTable& table, bool is_low, bool low_first) {
        const uint64_t first = low_first ? 1 : 2;
        EXPECT_EQ(admit(table, is_low, first).verdict, Verdict::kAdmit);
        const PeerTable::Decision second = admit(table, is_low, 3 - first);
        if (first == 1) {
          EXPECT_EQ(second.verdict, Verdict::kDuplicate);
        } else {
          EXPECT_EQ(second.verdict, Verdict::kAdmit);
          EXPECT_EQ(second.replaced, 2u);
        }
        EXPECT_EQ(table.size(), 1u);
        table.Remove(2);
        EXPECT_EQ(table.size(), 1u) << "link 1 is the one that stays";
      };
      run(low, true, first_by_low);
      run(high, false, same_order ? first_by_low : !first_by_low);
    }
  }
}

TEST(PeerTable, OfTwoLinksByTheSameDiallerTheOlderStays) {
  PeerTable table(Node(1), {});
  EXPECT_EQ(table.Admit(From(1, 2, true), kStart).verdict, Verdict::kAdmit);
  EXPECT_EQ(table.Admit(From(2, 2, true), kStart).verdict, Verdict::kDuplicate);
  EXPECT_TRUE(table.Linked(Node(2)));
  table.Remove(1);
  EXPECT_FALSE(table.Linked(Node(2)));
  EXPECT_EQ(table.Admit(From(2, 2, true), kStart).verdict, Verdict::kAdmit);
}

TEST(PeerTable, BoundsLinksInAllAndFromOneHost) {
  PeerTable table(Node(0), {.peers = 4, .inbound_per_host = 2, .inbound_from_loopback = 3});
  EXPECT_EQ(table.Admit(From(1, 1, false), kStart).verdict, Verdict::kAdmit);
  EXPECT_EQ(table.Admit(From(2, 2, false), kStart).verdict, Verdict::kAdmit);
  EXPECT_EQ(table.Admit(From(3, 3, false), kStart).verdict, Verdict::kTooMany);
  EXPECT_EQ(table.Admit(From(3, 3, true), kStart).verdict, Verdict::kAdmit) << "we dialled it";
  EXPECT_EQ(table.Admit(From(4, 4, false, "10.0.0.2"), kStart).verdict, Verdict::kAdmit);
  EXPECT_EQ(table.Admit(From(5, 5, false, "10.0.0.3"), kStart).verdict, Verdict::kTooMany);
  EXPECT_EQ(table.Admit(From(6, 6, true), kStart).verdict, Verdict::kTooMany);
  table.Remove(4);
  EXPECT_EQ(table.Admit(From(5, 5, false, "10.0.0.3"), kStart).verdict, Verdict::kAdmit);
}

TEST(PeerTable, BansNodeAndHostButNotThisMachine) {
  PeerTable table(Node(0), {});
  table.Ban(Node(1), "10.0.0.1", kStart);
  EXPECT_EQ(table.Admit(From(1, 1, false, "10.0.0.9"), kStart).verdict, Verdict::kBanned);
  EXPECT_EQ(table.Admit(From(1, 2, false, "10.0.0.1"), kStart).verdict, Verdict::kBanned);
  table.Ban(Node(3), "127.0.0.1", kStart);
  EXPECT_EQ(table.Admit(From(1, 3, false, "127.0.0.1"), kStart).verdict, Verdict::kBanned);
  EXPECT_EQ(table.Admit(From(1, 4, false, "127.0.0.1"), kStart).verdict, Verdict::kAdmit);
  EXPECT_EQ(table.Admit(From(2, 1, false, "10.0.0.1"), kStart + minutes(2)).verdict, Verdict::kAdmit);
}

TEST(PeerTable, AScoreOutlivesTheLinkByNodeAndHost) {
  PeerTable table(Node(0), {});
  table.Remember(Node(1), "10.0.0.1", -40, kStart);
  EXPECT_EQ(table.ScoreOf(Node(1), "10.0.0.9", kStart), -40);
  EXPECT_EQ(table.ScoreOf(Node(2), "10.0.0.1", kStart), -40) << "with another node id it is no other";
  EXPECT_EQ(table.ScoreOf(Node(2), "10.0.0.9", kStart), 0);
  table.Remember(Node(3), "127.0.0.1", -40, kStart);
  EXPECT_EQ(table.ScoreOf(Node(3), "127.0.0.1", kStart), -40);
  EXPECT_EQ(table.ScoreOf(Node(4), "127.0.0.1", kStart), 0) << "all nodes of this machine have that address";
}

TEST(PeerTable, WhoWasBannedBeginsAnew) {
  PeerTable table(Node(0), {});
  table.Ban(Node(1), "10.0.0.1", kStart);
  table.Remember(Node(1), "10.0.0.1", -100, kStart);
  EXPECT_EQ(table.ScoreOf(Node(1), "10.0.0.1", kStart), 0);
}

TEST(PeerTable, BoundsArrivalsFromOneHost) {
  PeerTable table(Node(0), {.arrivals_per_host = {.burst = 2, .per_second = 1}});
  EXPECT_TRUE(table.MayArrive("a", kStart));
  EXPECT_TRUE(table.MayArrive("a", kStart));
  EXPECT_FALSE(table.MayArrive("a", kStart));
  EXPECT_TRUE(table.MayArrive("b", kStart));
  EXPECT_TRUE(table.MayArrive("a", kStart + seconds(1)));
  // A connection may bring several streams.
  EXPECT_TRUE(table.MayConnect("a", kStart));
  EXPECT_TRUE(table.MayConnect("a", kStart));
  EXPECT_FALSE(table.MayConnect("a", kStart));
}

class DialPlanTest : public testing::Test {
 protected:
  // How long after `now` the plan is due.
  milliseconds DueIn(SteadyTime now) {
    milliseconds wait{0};
    while (!plan_.Due(table_, now + wait) && wait < minutes(10)) wait += milliseconds(10);
    return wait;
  }
  void Fail(DialEnd end, SteadyTime now, milliseconds ban = {}) {
    plan_.OnDialling();
    EXPECT_FALSE(plan_.Due(table_, now + minutes(5))) << "it is being dialled";
    plan_.OnEnded(end, Node(7), ban, now);
  }

  PeerTable table_{Node(0), {}};
  DialPlan plan_{"10.0.0.1:9000", 1};
};

TEST_F(DialPlanTest, PausesGrowAndAGoodLinkMakesThemShort) {
  EXPECT_TRUE(plan_.Due(table_, kStart));
  milliseconds longest{0};
  for (int i = 0; i < 12; ++i) {
    Fail(DialEnd::kLost, kStart);
    longest = std::max(longest, DueIn(kStart));
  }
  EXPECT_GE(longest, DialPlan::kLongestPause / 2);
  EXPECT_LE(longest, DialPlan::kLongestPause + milliseconds(10));
  plan_.OnDialling();
  plan_.OnLinked(kStart);
  plan_.OnEnded(DialEnd::kLost, Node(7), {}, kStart + DialPlan::kGoodLink);
  EXPECT_LE(DueIn(kStart + DialPlan::kGoodLink), DialPlan::kFirstPause);
}

TEST_F(DialPlanTest, AnotherNetworkIsAskedRarelyAndItselfNever) {
  Fail(DialEnd::kMismatch, kStart);
  EXPECT_EQ(DueIn(kStart), DialPlan::kMismatchPause);
  Fail(DialEnd::kBanned, kStart, minutes(2));
  EXPECT_EQ(DueIn(kStart), minutes(2));
  Fail(DialEnd::kSelf, kStart);
  EXPECT_GE(DueIn(kStart), minutes(10));
}

TEST_F(DialPlanTest, ADuplicateWaitsForTheEndOfTheOtherLink) {
  ASSERT_EQ(table_.Admit(From(1, 7, false), kStart).verdict, Verdict::kAdmit);
  Fail(DialEnd::kDuplicate, kStart);
  EXPECT_GE(DueIn(kStart), minutes(10));
  table_.Remove(1);
  EXPECT_FALSE(plan_.Due(table_, kStart)) << "not both at once";
  EXPECT_LE(DueIn(kStart), DialPlan::kLongestPause);
}

OutgoingItem Item(uint8_t number, size_t bytes = 1) {
  return {.key = Key(number), .bytes = std::make_shared<const std::string>(bytes, 'x')};
}

const auto kSkipNone = [](const Root&) { return false; };

TEST(SendQueue, BlocksComeFirstAndVotesInBatches) {
  SendQueue queue({});
  EXPECT_TRUE(queue.empty());
  for (uint8_t i = 1; i <= 5; ++i) queue.PushVote(Item(i));
  EXPECT_TRUE(queue.PushBlock(Item(100)));
  const SendQueue::Next first = queue.Pop(3, kSkipNone);
  ASSERT_TRUE(std::holds_alternative<SendQueue::Block>(first));
  EXPECT_EQ(std::get<SendQueue::Block>(first).item.key, Key(100));
  EXPECT_EQ(std::get<SendQueue::Votes>(queue.Pop(3, kSkipNone)).size(), 3u);
  EXPECT_EQ(std::get<SendQueue::Votes>(queue.Pop(3, kSkipNone)).size(), 2u);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(queue.Pop(3, kSkipNone)));
}

TEST(SendQueue, SkipsWhatThePeerHasByNow) {
  SendQueue queue({});
  queue.PushBlock(Item(1));
  queue.PushBlock(Item(2));
  for (uint8_t i = 3; i <= 6; ++i) queue.PushVote(Item(i));
  const auto skip = [](const Root& key) { return key == Key(1) || key == Key(3) || key == Key(6); };
  EXPECT_EQ(std::get<SendQueue::Block>(queue.Pop(9, skip)).item.key, Key(2));
  const auto votes = std::get<SendQueue::Votes>(queue.Pop(9, skip));
  ASSERT_EQ(votes.size(), 2u);
  EXPECT_EQ(votes[0].key, Key(4));
  EXPECT_TRUE(queue.empty());
}

TEST(SendQueue, VotesMakeRoomAndBlocksDoNot) {
  SendQueue queue({.blocks = 2, .block_bytes = 100, .votes = 3});
  for (uint8_t i = 1; i <= 3; ++i) EXPECT_EQ(queue.PushVote(Item(i)), 0u);
  EXPECT_EQ(queue.PushVote(Item(4)), 1u);
  EXPECT_EQ(std::get<SendQueue::Votes>(queue.Pop(9, kSkipNone)).front().key, Key(2)) << "the oldest is gone";
  EXPECT_TRUE(queue.PushBlock(Item(1, 1000))) << "one always fits";
  EXPECT_FALSE(queue.PushBlock(Item(2, 1)));
  queue.Pop(9, kSkipNone);
  EXPECT_TRUE(queue.PushBlock(Item(3, 50)));
  EXPECT_TRUE(queue.PushBlock(Item(4, 50)));
  EXPECT_FALSE(queue.PushBlock(Item(5, 0))) << "two of them";
}

TEST(SendQueue, HoldsTheVotesOfTwoSlotsOfTheRegistry) {
  constexpr size_t kValidators = 4096;
  SendQueue queue(SendQueue::Limits::For(kValidators));
  size_t dropped = 0;
  for (size_t i = 0; i < 2 * kValidators; ++i) dropped += queue.PushVote(Item(1));
  EXPECT_EQ(dropped, 0u);
  EXPECT_EQ(queue.PushVote(Item(1)), 1u);
  EXPECT_EQ(SendQueue::Limits::For(4).votes, 1024u);
}

}  // namespace
}  // namespace lean::beacon
