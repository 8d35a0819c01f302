// What a dishonest validator or a hostile peer may try, on real links.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "tests/beacon/network/linked_node.h"
#include "tests/beacon/network/raw_peer.h"

namespace lean::beacon {
namespace {

TEST(HostilePeers, OfADishonestValidatorsVotesAndBlocksTwoGoOn) {
  const Genesis genesis = GenesisInSlot(1);
  Node b("b", genesis);
  Node c("c", genesis);
  b.Start({});
  c.Start({b.address()}, /*listen=*/false);
  RawPeer raw(b.address(), b.IdentityOf("raw"), {});
  ASSERT_TRUE(raw.linked());
  ASSERT_TRUE(Eventually([&] { return b.Linked(2) && c.Linked(1); }));
  const auto score_of_raw = [&] {
    for (const PeerInfo& peer : b.network().Peers()) {
      if (peer.name == "raw") return peer.score;
    }
    return PeerScore::kDisconnectAt;
  };

  // Three blocks for one slot: the first is right, the second waits for what its vote names, the third is not looked
  // at.
  const SignedBlockPtr block = b.Build(1);
  ASSERT_TRUE(raw.SendBlock(*block));
  ASSERT_TRUE(Eventually([&] { return c.Has(RootOf(block)); }));
  ASSERT_TRUE(raw.SendBlock(*Keys().BlockAtEdge(1, genesis.block_root, {})));
  ASSERT_TRUE(Eventually([&] { return b.chain().queue_sizes().waiting_blocks == 1; }));
  ASSERT_TRUE(raw.SendBlock(*Keys().BlockAtEdge(1, RootOf(block), {})));
  ASSERT_TRUE(Eventually([&] { return b.chain().event_counts().blocks_refused == 1; }));

  // Votes of one validator with different heads, and at last one of another validator.
  const Checkpoint heads[] = {{.root = RootOf(block), .slot = 1}, {.root = genesis.block_root, .slot = 0}};
  std::vector<SignedVotePtr> votes;
  for (uint8_t number = 0; number < 30; ++number) {
    AttestationData data = b.chain().BuildVote(1).value();
    data.head = number < 2 ? heads[number] : Checkpoint{.root = {}, .slot = number};
    votes.push_back(Keys().Vote(2, data));
  }
  votes.push_back(Keys().Vote(3, b.chain().BuildVote(1).value()));
  ASSERT_TRUE(raw.SendVotes(votes));
  ASSERT_TRUE(Eventually([&] { return c.chain().seen_votes().Missing(1, 4) == std::vector<uint64_t>{0}; }));
  EXPECT_EQ(b.chain().event_counts().votes_refused, 28u);
  EXPECT_EQ(b.chain().event_counts().vote_equivocations, 1u);
  EXPECT_EQ(b.chain().event_counts().block_equivocations, 1u);
  EXPECT_EQ(c.chain().event_counts().votes_accepted, 3u);
  EXPECT_EQ(c.network().PeerStates()[0].traffic.votes_in, 3u);
  EXPECT_EQ(score_of_raw(), 0) << "no offence of who forwards it";
}

// gRPC itself ends a stream that brings a message of more than 16 MiB, and tells nobody why.
TEST(HostilePeers, WhoSendsMessagesThatAreTooLargeIsBanned) {
  Node a("a");
  Node honest("honest");
  a.Start({});
  honest.Start({a.address()}, /*listen=*/false);
  ASSERT_TRUE(Eventually([&] { return a.Linked(1); }));
  const Identity identity = a.IdentityOf("raw");
  size_t times = 0;
  while (a.network().counts().bans == 0 && times < 10) {
    RawPeer raw(a.address(), identity, {});
    ASSERT_TRUE(raw.linked());
    raw.SendOversized();
    EXPECT_EQ(raw.AwaitEnd(), v1::PeerGoodbye::REASON_UNSPECIFIED);
    ++times;
    ASSERT_TRUE(Eventually([&] { return a.network().counts().Of(Offence::kBrokeOff) == times; }));
  }
  EXPECT_EQ(times, 5u);
  EXPECT_EQ(a.network().counts().bans, 1u);
  RawPeer again(a.address(), identity, {});
  EXPECT_EQ(again.AwaitEnd(), v1::PeerGoodbye::BANNED);
  EXPECT_TRUE(a.Linked(1));
  EXPECT_EQ(a.network().Peers()[0].score, 0);
}

TEST(HostilePeers, LeavingAndComingBackWashesNothingOff) {
  Node a("a");
  Node b("b");
  a.Start({});
  b.Start({a.address()});
  ASSERT_TRUE(Eventually([&] { return a.Linked(1); }));
  a.network().Report(a.network().Peers()[0].id, Offence::kBadAnswer, "for the test");
  const Identity identity = b.IdentityOf("raw");
  for (int i = 0; i < 2; ++i) {
    RawPeer raw(a.address(), identity, {});
    ASSERT_TRUE(raw.linked());
    ASSERT_TRUE(Eventually([&] { return a.Linked(2); }));
    for (const PeerInfo& peer : a.network().Peers()) {
      if (peer.name != "raw") continue;
      EXPECT_EQ(peer.score<0, i> 0) << peer.score;
      if (i == 0) a.network().Report(peer.id, Offence::kBadAnswer, "for the test");
    }
    raw.SayGoodbye();
    ASSERT_TRUE(Eventually([&] { return a.Linked(1); }));
  }
  EXPECT_EQ(a.network().counts().Of(Offence::kBrokeOff), 0u);
}

TEST(HostilePeers, SilenceIsOneOffenceHoweverManyRequestsWereOpen) {
  Node a("a");
  a.Start({});
  RawPeer raw(a.address(), a.IdentityOf("raw"), {});
  ASSERT_TRUE(raw.linked());
  raw.OpenAnswer();
  std::atomic<size_t> unanswered = 0;
  size_t open = 0;
  ASSERT_TRUE(Eventually([&] {
    const auto done = [&](const absl::StatusOr<std::vector<SignedBlockPtr>>& blocks) {
      if (absl::IsDeadlineExceeded(blocks.status())) ++unanswered;
    };
    const uint64_t peer = a.network().Peers().at(0).id;
    if (open < kMaxRequestsOpen) a.network().BlocksByRange(peer, 1, 1, done);
    open = a.network().Peers().at(0).requests_open;
    return open == kMaxRequestsOpen;
  }));
  ASSERT_TRUE(Eventually([&] { return unanswered == open; }));
  EXPECT_EQ(a.network().counts().Of(Offence::kUnresponsive), 1u);
  EXPECT_GE(a.network().Peers().at(0).score, -20);
}

// A connection that ends takes the stream with it that answers: nobody is to blame.
TEST(HostilePeers, AConnectionThatEndsIsNoOffence) {
  Node a("a");
  a.Start({});
  {
    RawPeer raw(a.address(), a.IdentityOf("raw"), {});
    ASSERT_TRUE(raw.linked());
    raw.OpenAnswer();
    ASSERT_TRUE(Eventually([&] {
      const uint64_t peer = a.network().Peers().at(0).id;
      a.network().BlocksByRange(peer, 1, 1, [](const absl::StatusOr<std::vector<SignedBlockPtr>>&) {});
      return a.network().Peers().at(0).requests_open > 0;
    })) << "the stream is attached";
    raw.Disconnect();
    ASSERT_TRUE(Eventually([&] { return a.Linked(0); }));
  }
  // One that has no such stream is judged after it.
  { RawPeer raw(a.address(), a.IdentityOf("raw"), {}); }
  // It is counted a moment before it is logged.
  ASSERT_TRUE(Eventually([&] { return !a.log().Matching("peer_offence").empty(); }));
  EXPECT_THAT(a.log().Matching("peer_offence"), testing::SizeIs(1));
  EXPECT_EQ(a.network().counts().Of(Offence::kBrokeOff), 1u);
}

}  // namespace
}  // namespace lean::beacon
