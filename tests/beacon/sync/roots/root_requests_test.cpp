#include "beacon/sync/roots/root_requests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/beacon/services/support/chain_source.h"

namespace lean::beacon {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

PeerInfo AnyPeer(uint64_t id) {
  PeerInfo peer;
  peer.id = id;
  return peer;
}

class RootRequestsTest : public testing::Test {
 protected:
  void Want(uint64_t root, const Origin& origin, uint64_t wanted_by = 0, int64_t expires = 100) {
    requests_.Want(
        {.root = RootOf(root), .origin = origin, .wanted_by = RootOf(1'000'000 + wanted_by), .expires_slot = expires});
  }
  std::vector<uint64_t> AskedPeers() {
    std::vector<uint64_t> ids;
    for (const RootRequests::Ask& ask : requests_.Next(peers_, may_ask_, now_)) ids.push_back(ask.peer);
    return ids;
  }

  RootRequests requests_{{.max_roots = 40,
                          .max_roots_per_origin = 20,
                          .max_depth = 3,
                          .roots_per_request = 4,
                          .pause = milliseconds(100)}};
  std::vector<PeerInfo> peers_{AnyPeer(1), AnyPeer(2), AnyPeer(3)};
  std::function<bool(uint64_t)> may_ask_ = [](uint64_t) { return true; };
  SteadyTime now_{};
};

TEST_F(RootRequestsTest, AsksWhoNamedItFirstThenTheOthersThenAllAgainAfterAPause) {
  Want(7, Origin::Peer(3));
  EXPECT_THAT(AskedPeers(), ElementsAre(3));
  EXPECT_THAT(AskedPeers(), IsEmpty());  // its answer is waited for
  requests_.Missed(RootOf(7));
  EXPECT_THAT(AskedPeers(), ElementsAre(1));
  requests_.Missed(RootOf(7));
  Want(7, Origin::Peer(9));  // not linked
  EXPECT_THAT(AskedPeers(), ElementsAre(2));
  requests_.Missed(RootOf(7));
  EXPECT_THAT(AskedPeers(), IsEmpty());
  now_ += milliseconds(99);
  EXPECT_THAT(AskedPeers(), IsEmpty());
  now_ += milliseconds(1);
  EXPECT_THAT(AskedPeers(), ElementsAre(3));
  requests_.Resolve(RootOf(7));
  EXPECT_EQ(requests_.size(), 0u);
}

TEST_F(RootRequestsTest, OwnItemsAskAnyoneAndBusyPeersAreLeftOut) {
  Want(7, Origin::Local());
  may_ask_ = [](uint64_t peer) { return peer == 2; };
  EXPECT_THAT(AskedPeers(), ElementsAre(2));
  requests_.Missed(RootOf(7));
  EXPECT_THAT(AskedPeers(), IsEmpty());
  may_ask_ = [](uint64_t) { return true; };
  EXPECT_THAT(AskedPeers(), ElementsAre(1));  // no pause: they had not been asked
}

TEST_F(RootRequestsTest, AsksForSeveralAtOnce) {
  for (uint64_t root = 1; root <= 6; ++root) Want(root, Origin::Peer(2));
  const std::vector<RootRequests::Ask> asks = requests_.Next(peers_, may_ask_, now_);
  ASSERT_THAT(asks, SizeIs(2));
  EXPECT_EQ(asks[0].peer, 2u);
  EXPECT_THAT(asks[0].roots, SizeIs(4));
  EXPECT_EQ(asks[1].peer, 1u) << "a peer has one request at a time";
  EXPECT_THAT(asks[1].roots, SizeIs(2));
}

TEST_F(RootRequestsTest, WhatNobodyMayBeAskedForIsAskedLater) {
  peers_ = {AnyPeer(1)};
  for (uint64_t root = 1; root <= 6; ++root) Want(root, Origin::Peer(1));
  EXPECT_THAT(AskedPeers(), ElementsAre(1));
  const std::vector<RootRequests::Ask> rest = requests_.Next(peers_, may_ask_, now_);
  ASSERT_THAT(rest, SizeIs(1));
  EXPECT_THAT(rest[0].roots, SizeIs(2));
}

TEST_F(RootRequestsTest, ABlockThatWaitedAndIsWantedAgainIsAskedForAgain) {
  Want(7, Origin::Peer(1));
  EXPECT_THAT(AskedPeers(), ElementsAre(1));
  Want(7, Origin::Peer(2));
  EXPECT_THAT(AskedPeers(), IsEmpty()) << "its answer is waited for";
  requests_.Waits(RootOf(7));
  EXPECT_THAT(AskedPeers(), IsEmpty()) << "it has come";
  Want(7, Origin::Peer(2));
  EXPECT_THAT(AskedPeers(), ElementsAre(2));
}

TEST_F(RootRequestsTest, AnOriginsRootsLeaveRoomForOthers) {
  for (uint64_t root = 1; root <= 100; ++root) Want(root, Origin::Peer(2));
  EXPECT_EQ(requests_.size(), 20u);
  for (uint64_t root = 201; root <= 300; ++root) Want(root, Origin::Peer(3));
  EXPECT_EQ(requests_.size(), 40u);
  EXPECT_TRUE(requests_.Contains(RootOf(201)));
}

TEST_F(RootRequestsTest, NothingIsAskedForLongerThanItIsWaitedFor) {
  Want(7, Origin::Peer(1), 0, /*expires=*/10);
  Want(7, Origin::Peer(2), 1, /*expires=*/12);
  Want(8, Origin::Peer(2), 1, /*expires=*/11);
  requests_.Expire(11);
  EXPECT_THAT(requests_.Roots(), ElementsAre(RootOf(7)));
  requests_.Expire(12);
  EXPECT_THAT(requests_.Roots(), IsEmpty());
}

TEST_F(RootRequestsTest, AncestorsAreFollowedToADepth) {
  Want(50, Origin::Peer(1));
  for (uint64_t depth = 1; depth <= 4; ++depth) {
    requests_.Want({.root = RootOf(50 + depth),
                    .origin = Origin::Peer(1),
                    .wanted_by = RootOf(50 + depth - 1),
                    .expires_slot = 100});
  }
  EXPECT_TRUE(requests_.Contains(RootOf(53)));
  EXPECT_FALSE(requests_.Contains(RootOf(54)));
  EXPECT_EQ(requests_.size(), 4u);
}

}  // namespace
}  // namespace lean::beacon
