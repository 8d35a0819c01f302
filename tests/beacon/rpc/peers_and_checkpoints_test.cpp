// What BeaconService tells of other beacons, and gives to those that start from a checkpoint.
#include <string>
#include <vector>

#include "beacon/network/peers/peer_list.h"
#include "common/bytes/bytes.h"
#include "common/rpc/wire/status.h"
#include "common/ssz/ssz.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/beacon/rpc/test_beacon.h"

namespace lean::beacon {
namespace {

Root RootOfByte(uint8_t byte) {
  Root root;
  root.data.fill(byte);
  return root;
}

class FakePeerList : public PeerList {
 public:
  v1::GetPeersResponse PeerViews() const override { return views; }
  size_t peer_count() const override { return 1; }
  v1::NetworkView View() const override { return network; }

  v1::GetPeersResponse views;
  v1::NetworkView network;
};

TEST(GetPeers, WithoutANetworkThereAreNone) {
  TestBeacon beacon;
  const auto peers = Call(beacon.queries(), &QueryStub::GetPeers, v1::GetPeersRequest());
  ASSERT_TRUE(peers.status.ok()) << peers.status;
  EXPECT_EQ(peers.response.peers_size(), 0);
  EXPECT_FALSE(Call(beacon.queries(), &QueryStub::GetNodeInfo, v1::GetNodeInfoRequest()).response.has_network());
}

TEST(GetPeers, IsAnsweredByTheNetwork) {
  FakePeerList list;
  list.views.add_peers()->set_peer_id("16Uiu2HAmPeer");
  list.network.set_peer_id("16Uiu2HAmOwn");
  list.network.set_enr("enr:-own");
  TestBeacon beacon({.prepare = nullptr, .peers = &list});
  const auto peers = Call(beacon.queries(), &QueryStub::GetPeers, v1::GetPeersRequest());
  ASSERT_TRUE(peers.status.ok()) << peers.status;
  ASSERT_EQ(peers.response.peers_size(), 1);
  EXPECT_EQ(peers.response.peers(0).peer_id(), "16Uiu2HAmPeer");
  const auto info = Call(beacon.queries(), &QueryStub::GetNodeInfo, v1::GetNodeInfoRequest());
  EXPECT_EQ(info.response.network().peer_id(), "16Uiu2HAmOwn");
  EXPECT_EQ(info.response.network().enr(), "enr:-own");
  EXPECT_EQ(info.response.peers(), 1u);
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
  return ssz::Deserialize<T>(BytesOfText(bytes));
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
