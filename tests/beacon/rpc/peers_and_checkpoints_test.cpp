// What BeaconService tells of other beacons, and gives to those that start from a checkpoint.
#include <string>
#include <vector>

#include "beacon/network/peer_list.h"
#include "common/bytes/hex.h"
#include "common/rpc/status.h"
#include "common/ssz/ssz.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/beacon/rpc/test_beacon.h"

namespace lean::beacon {
namespace {

class FakePeerList : public PeerList {
 public:
  std::vector<PeerState> PeerStates() const override { return states; }
  size_t linked_peers() const override { return 1; }
  std::string node_id() const override { return "0x11"; }
  std::string peer_address() const override { return "10.0.0.1:9000"; }

  std::vector<PeerState> states;
};

Root RootOfByte(uint8_t byte) {
  Root root;
  root.data.fill(byte);
  return root;
}

TEST(GetPeers, WithoutANetworkThereAreNone) {
  TestBeacon beacon;
  const auto peers = Call(beacon.queries(), &QueryStub::GetPeers, v1::GetPeersRequest());
  ASSERT_TRUE(peers.status.ok()) << peers.status;
  EXPECT_EQ(peers.response.peers_size(), 0);
  EXPECT_EQ(Call(beacon.queries(), &QueryStub::GetNodeInfo, v1::GetNodeInfoRequest()).response.node_id(), "");
}

TEST(GetPeers, TellsOfALinkAllThatIsKnown) {
  FakePeerList list;
  list.states.push_back({.state = PeerState::kConnected,
                         .address = "10.0.0.2:9000",
                         .outbound = true,
                         .id = 7,
                         .node_id = "0x22",
                         .name = "alpha",
                         .version = "1.2",
                         .head = {.root = RootOfByte(1), .slot = 20},
                         .finalized = {.root = RootOfByte(2), .slot = 17},
                         .synced = true,
                         .score = -34.5,
                         .connected_since_ms = 1'700'000'000'123,
                         .traffic = {.bytes_in = 1,
                                     .bytes_out = 2,
                                     .blocks_in = 3,
                                     .blocks_out = 4,
                                     .votes_in = 5,
                                     .votes_out = 6,
                                     .requests_in = 7,
                                     .requests_out = 8,
                                     .dropped_out = 9},
                         .last_disconnect_reason = "BROKEN: reset",
                         .last_disconnect_ms = 1'700'000'000'000,
                         .gossip = {.score = -2.5,
                                    .in_block_mesh = true,
                                    .in_vote_mesh = false,
                                    .accepted = 10,
                                    .ignored = 11,
                                    .rejected = 12}});
  TestBeacon beacon({.prepare = nullptr, .peers = &list});
  const auto called = Call(beacon.queries(), &QueryStub::GetPeers, v1::GetPeersRequest());
  ASSERT_TRUE(called.status.ok()) << called.status;
  ASSERT_EQ(called.response.peers_size(), 1);
  const v1::PeerView& peer = called.response.peers(0);
  EXPECT_EQ(peer.state(), v1::PeerView::CONNECTED);
  EXPECT_EQ(peer.address(), "10.0.0.2:9000");
  EXPECT_TRUE(peer.outbound());
  EXPECT_EQ(peer.id(), 7u);
  EXPECT_EQ(peer.node_id(), "0x22");
  EXPECT_EQ(peer.name(), "alpha");
  EXPECT_EQ(peer.version(), "1.2");
  EXPECT_EQ(peer.head().root(), ToHex(RootOfByte(1).span()));
  EXPECT_EQ(peer.head().slot(), 20u);
  EXPECT_EQ(peer.finalized().root(), ToHex(RootOfByte(2).span()));
  EXPECT_EQ(peer.finalized().slot(), 17u);
  EXPECT_TRUE(peer.synced());
  EXPECT_EQ(peer.score(), -34.5);
  EXPECT_EQ(peer.connected_since_ms(), 1'700'000'000'123u);
  EXPECT_EQ(peer.bytes_in(), 1u);
  EXPECT_EQ(peer.bytes_out(), 2u);
  EXPECT_EQ(peer.blocks_in(), 3u);
  EXPECT_EQ(peer.blocks_out(), 4u);
  EXPECT_EQ(peer.votes_in(), 5u);
  EXPECT_EQ(peer.votes_out(), 6u);
  EXPECT_EQ(peer.requests_in(), 7u);
  EXPECT_EQ(peer.requests_out(), 8u);
  EXPECT_EQ(peer.dropped_out(), 9u);
  EXPECT_EQ(peer.last_disconnect_reason(), "BROKEN: reset");
  EXPECT_EQ(peer.last_disconnect_ms(), 1'700'000'000'000u);
  EXPECT_EQ(peer.gossip_score(), -2.5);
  EXPECT_TRUE(peer.in_block_mesh());
  EXPECT_FALSE(peer.in_vote_mesh());
  EXPECT_EQ(peer.items_accepted(), 10u);
  EXPECT_EQ(peer.items_ignored(), 11u);
  EXPECT_EQ(peer.items_rejected(), 12u);

  const auto info = Call(beacon.queries(), &QueryStub::GetNodeInfo, v1::GetNodeInfoRequest());
  EXPECT_EQ(info.response.node_id(), "0x11");
  EXPECT_EQ(info.response.peer_address(), "10.0.0.1:9000");
  EXPECT_EQ(info.response.peers(), 1u);
}

TEST(GetPeers, OfOneThatIsNotLinkedThereIsOnlyHowItEnded) {
  FakePeerList list;
  const std::pair<PeerState::State, v1::PeerView::State> states[] = {{PeerState::kConnecting, v1::PeerView::CONNECTING},
                                                                     {PeerState::kWaiting, v1::PeerView::WAITING},
                                                                     {PeerState::kBanned, v1::PeerView::BANNED},
                                                                     {PeerState::kRefused, v1::PeerView::REFUSED}};
  for (const auto& [state, view] : states) {
    PeerState peer;
    peer.state = state;
    peer.address = "10.0.0.3:9000";
    peer.outbound = true;
    peer.name = "from before";
    peer.last_disconnect_reason = "WRONG_GENESIS: another";
    list.states.push_back(peer);
  }
  TestBeacon beacon({.prepare = nullptr, .peers = &list});
  const auto called = Call(beacon.queries(), &QueryStub::GetPeers, v1::GetPeersRequest());
  ASSERT_EQ(called.response.peers_size(), 4);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(called.response.peers(i).state(), states[i].second);
    EXPECT_EQ(called.response.peers(i).last_disconnect_reason(), "WRONG_GENESIS: another");
    EXPECT_EQ(called.response.peers(i).name(), "");
    EXPECT_FALSE(called.response.peers(i).has_head());
  }
}

class GetCheckpointTest : public testing::Test {
 protected:
  using Part = v1::GetCheckpointRequest;

  Called<v1::GetCheckpointResponse> Get(Part::Part part, const std::string& root = "", uint64_t offset = 0) {
    v1::GetCheckpointRequest request;
    request.set_part(part);
    request.set_root(root);
    request.set_offset(offset);
    return Call(beacon_.queries(), &QueryStub::GetCheckpoint, request);
  }
  std::string ReasonOf(Part::Part part, const std::string& root = "", uint64_t offset = 0) {
    return rpc::ReasonOf(Get(part, root, offset).status);
  }

  // All vote in every slot, until something is finalized.
  void Finalize() {
    for (uint64_t slot = 1; finalized().slot == 0; ++slot) {
      ASSERT_LT(slot, 12u);
      beacon_.GoTo(slot);
      beacon_.Propose(slot);
      beacon_.GoTo(slot, 1);
      v1::SubmitVotesRequest votes;
      for (uint64_t validator = 0; validator < 4; ++validator) {
        if (validator != slot % 4) *votes.add_votes() = beacon_.Vote(slot, validator);
      }
      ASSERT_TRUE(Call(beacon_.duties(), &DutyStub::SubmitVotes, votes).status.ok());
    }
  }
  Checkpoint finalized() {
    return beacon_.service().Read([](const LeanChain& chain) { return chain.finalized(); });
  }

  TestBeacon beacon_;
};

template <typename T>
absl::StatusOr<T> Parse(const std::string& bytes) {
  return ssz::Deserialize<T>({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
}

TEST_F(GetCheckpointTest, GivesTheFinalizedBlockAndTheStateThatItNames) {
  Finalize();
  const auto block_part = Get(Part::BLOCK);
  ASSERT_TRUE(block_part.status.ok()) << block_part.status;
  EXPECT_EQ(block_part.response.block().root(), ToHex(finalized().root.span()));
  EXPECT_EQ(block_part.response.block().slot(), finalized().slot);
  EXPECT_EQ(block_part.response.total_bytes(), block_part.response.data().size());
  const auto block = Parse<SignedBlockWithAttestation>(block_part.response.data());
  ASSERT_TRUE(block.ok()) << block.status();
  EXPECT_EQ(ssz::HashTreeRoot(block->message.block), finalized().root);

  const auto state_part = Get(Part::STATE, ToHex(finalized().root.span()));
  ASSERT_TRUE(state_part.status.ok()) << state_part.status;
  const auto state = Parse<State>(state_part.response.data());
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_EQ(ssz::HashTreeRoot(*state), block->message.block.state_root);

  // The rest from any byte on.
  const uint64_t size = state_part.response.total_bytes();
  for (const uint64_t offset : {uint64_t{1}, size / 2, size}) {
    const auto rest = Get(Part::STATE, ToHex(finalized().root.span()), offset);
    ASSERT_TRUE(rest.status.ok()) << rest.status;
    EXPECT_EQ(rest.response.total_bytes(), size);
    EXPECT_EQ(rest.response.data(), state_part.response.data().substr(offset));
  }
  EXPECT_EQ(ReasonOf(Part::STATE, "", size + 1), "MALFORMED_REQUEST");
}

TEST_F(GetCheckpointTest, WhatIsNotFinalizedHereIsNotGiven) {
  EXPECT_EQ(ReasonOf(Part::BLOCK), "CHECKPOINT_NOT_FOUND") << "genesis needs none";
  EXPECT_EQ(ReasonOf(Part::STATE, ToHex(beacon_.genesis().block_root.span())), "CHECKPOINT_NOT_FOUND");
  Finalize();
  const Root head = beacon_.service().Read([](const LeanChain& chain) { return chain.head().root; });
  EXPECT_EQ(ReasonOf(Part::BLOCK, ToHex(head.span())), "CHECKPOINT_NOT_FOUND");
  EXPECT_EQ(ReasonOf(Part::BLOCK, ToHex(RootOfByte(9).span())), "CHECKPOINT_NOT_FOUND");
}

TEST_F(GetCheckpointTest, RequestsThatMakeNoSenseAreMalformed) {
  EXPECT_EQ(ReasonOf(Part::PART_UNSPECIFIED), "MALFORMED_REQUEST");
  EXPECT_EQ(ReasonOf(static_cast<Part::Part>(7)), "MALFORMED_REQUEST");
  EXPECT_EQ(ReasonOf(Part::BLOCK, "0x12"), "MALFORMED_REQUEST");
}

}  // namespace
}  // namespace lean::beacon
