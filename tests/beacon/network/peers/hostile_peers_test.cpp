// What dishonest validators and hostile peers may try: what it costs them, and that it costs nobody else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <future>
#include <optional>
#include <string>
#include <vector>

#include "beacon/network/engine/item_codec.h"
#include "tests/beacon/network/engine_node.h"

namespace lean::beacon {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class HostilePeersTest : public EngineTest {
 protected:
  HostilePeersTest() { Attach(); }

  // A vote with a wrong signature, each another one.
  std::string ForgedVote() {
    auto vote = *Keys().Vote(0, node_.chain().BuildVote(EngineNode::kSlot).value());
    vote.signature.data[40] ^= ++forged_;
    return ssz::SerializeToString(vote);
  }
  // The peer has sent one, and it was held against it.
  void SendForgedVote(uint64_t handle) {
    const uint64_t before = Offences(Offence::kInvalidItem);
    engine_->SendVotes(++last_item_, handle, {ForgedVote()});
    EXPECT_EQ(engine_->AwaitVerdict(last_item_), v1::Verdict::REJECT);
    EXPECT_TRUE(Eventually([&] { return Offences(Offence::kInvalidItem) == before + 1; }));
  }

  uint8_t forged_ = 0;
  uint64_t last_item_ = 0;
};

TEST_F(HostilePeersTest, ThreeWrongSignaturesEndAPeerAndHarmNobodyElse) {
  // They say the same of themselves: who they are is their peer id alone.
  const uint64_t hostile = AddPeer(1);
  const uint64_t honest = AddPeer(2);
  for (int i = 0; i < 3; ++i) SendForgedVote(1);
  const std::optional<v1::EndPeer> ended = engine_->AwaitEndPeer(1);
  ASSERT_TRUE(ended.has_value());
  EXPECT_GE(ended->ban_seconds(), 60u);
  EXPECT_THAT(ended->reason(), testing::StartsWith("INVALID_ITEM: vote: BAD_SIGNATURE"));
  EXPECT_THAT(PeerIds(), ElementsAre(honest));
  EXPECT_NE(honest, hostile);
  EXPECT_EQ(node_.network().Peers()[0].score, 0);
  // What it still sends is not looked at.
  engine_->SendVotes(++last_item_, 1, {ForgedVote()});
  EXPECT_EQ(engine_->AwaitVerdict(last_item_), v1::Verdict::IGNORE);
  engine_->SendPeer(3, node_.chain_now());
  EXPECT_TRUE(Eventually([&] { return PeerIds().size() == 2; })) << "nobody else is banned";
}

TEST_F(HostilePeersTest, LeavingAndComingBackWashesNothingOff) {
  v1::EngineToBeacon message;
  v1::PeerConnected& again = *message.mutable_connected();
  again.set_peer_id("peer-1");
  *again.mutable_status() = ToProto(node_.chain_now());
  AddPeer(1);
  for (uint64_t handle = 1; handle <= 2; ++handle) {
    SendForgedVote(handle);
    engine_->SendGone(handle);
    again.set_peer(handle + 1);
    engine_->Send(message);
    ASSERT_TRUE(Eventually([&] { return PeerIds().size() == 1 && PeerIds()[0] == handle + 1; }));
    EXPECT_LT(node_.network().Peers()[0].score, -30.0 * static_cast<double>(handle));
  }
  SendForgedVote(3);
  EXPECT_TRUE(engine_->AwaitEndPeer(3));
  EXPECT_EQ(node_.network().counts().peers.bans, 1u);
}

TEST_F(HostilePeersTest, WhoBringsWhatADishonestValidatorSignedIsNotToBlame) {
  const std::string address = this->address() + ".slot1";
  TestEngine engine(address);
  EngineNode node(address, GenesisInSlot(1));
  ASSERT_TRUE(Eventually([&] { return node.network().counts().engine_connected && engine.attached(); }));
  engine.SendPeer(1, node.chain_now());
  // Three blocks for one slot: the first is right, the second waits for what its vote names, the third is not looked
  // at.
  const SignedBlockPtr block = node.Build(1);
  engine.SendBlock(1, 1, ssz::SerializeToString(*block));
  EXPECT_EQ(engine.AwaitVerdict(1), v1::Verdict::ACCEPT);
  engine.SendBlock(2, 1, ssz::SerializeToString(*Keys().BlockAtEdge(1, node.genesis().block_root, {})));
  ASSERT_TRUE(Eventually([&] { return node.chain().queue_sizes().waiting_blocks == 1; }));
  engine.SendBlock(3, 1, ssz::SerializeToString(*Keys().BlockAtEdge(1, RootOf(block), {})));
  EXPECT_EQ(engine.AwaitVerdict(3), v1::Verdict::IGNORE);

  // Votes of one validator with different heads, and at last one of another validator.
  const Checkpoint heads[] = {{.root = RootOf(block), .slot = 1}, {.root = node.genesis().block_root, .slot = 0}};
  std::vector<std::string> votes;
  for (uint8_t number = 0; number < 30; ++number) {
    AttestationData data = node.chain().BuildVote(1).value();
    data.head = number < 2 ? heads[number] : Checkpoint{.root = {}, .slot = number};
    votes.push_back(ssz::SerializeToString(*Keys().Vote(2, data)));
  }
  votes.push_back(ssz::SerializeToString(*Keys().Vote(3, node.chain().BuildVote(1).value())));
  engine.SendVotes(10, 1, votes);
  for (uint64_t id = 10; id <= 40; ++id) {
    const bool is_looked_at = id < 12 || id == 40;
    EXPECT_EQ(engine.AwaitVerdict(id), is_looked_at ? v1::Verdict::ACCEPT : v1::Verdict::IGNORE) << id;
  }
  EXPECT_EQ(node.chain().event_counts().vote_equivocations, 1u);
  EXPECT_EQ(node.chain().event_counts().block_equivocations, 1u);
  EXPECT_EQ(node.network().Peers()[0].score, 0);
}

TEST_F(HostilePeersTest, AnAnswerThatIsNoneCostsItsPeerAndNotTheAsker) {
  const uint64_t peer = AddPeer(1);
  for (int i = 0; i < 3; ++i) {
    std::promise<absl::Status> answer;
    node_.network().BlocksByRange(peer, 1, 8, [&](const auto& blocks) { answer.set_value(blocks.status()); });
    v1::EngineToBeacon message;
    message.mutable_answer()->set_id(engine_->AwaitRequest()->id());
    message.mutable_answer()->add_blocks("no block");
    engine_->Send(message);
    EXPECT_TRUE(absl::IsDataLoss(answer.get_future().get()));
  }
  EXPECT_TRUE(engine_->AwaitEndPeer(1));
  EXPECT_THAT(PeerIds(), IsEmpty());
  EXPECT_EQ(engine_->streams(), 1) << "a peer's fault is not the engine's";
}

}  // namespace
}  // namespace lean::beacon
