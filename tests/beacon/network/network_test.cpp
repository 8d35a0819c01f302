// A beacon with a scripted engine: what goes over the stream, in both directions.
#include "beacon/network/network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <string>
#include <vector>

#include "beacon/network/engine/item_codec.h"
#include "common/bytes/bytes.h"
#include "common/rpc/wire/convert.h"
#include "tests/beacon/network/engine_node.h"
#include "tests/beacon/network/plain_items.h"

namespace lean::beacon {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr milliseconds kMoment{300};  // for what must not come

class NetworkTest : public EngineTest {
 protected:
  using Answer = absl::StatusOr<std::vector<SignedBlockPtr>>;

  NetworkTest() { Attach(); }

  // Blocks of slots 1 to `last`, imported here as if by sync.
  std::vector<SignedBlockPtr> MakeChain(uint64_t last) {
    std::vector<SignedBlockPtr> blocks;
    for (uint64_t slot = 1; slot <= last; ++slot) {
      blocks.push_back(node_.Build(slot));
      EXPECT_EQ(node_.Submit(blocks.back(), Origin::Peer(99)).status, SubmitOutcome::kAccepted);
    }
    return blocks;
  }
  std::future<Answer> AskByRoot(uint64_t peer, std::vector<Root> roots) {
    auto promise = std::make_shared<std::promise<Answer>>();
    node_.network().BlocksByRoot(peer, std::move(roots),
                                 [promise](Answer answer) { promise->set_value(std::move(answer)); });
    return promise->get_future();
  }
  std::future<Answer> AskByRange(uint64_t peer, uint64_t first, uint64_t count) {
    auto promise = std::make_shared<std::promise<Answer>>();
    node_.network().BlocksByRange(peer, first, count,
                                  [promise](Answer answer) { promise->set_value(std::move(answer)); });
    return promise->get_future();
  }
};

TEST_F(NetworkTest, SaysHelloAndTellsOfItsChain) {
  const v1::BeaconHello hello = engine_->beacon_hello();
  EXPECT_EQ(hello.contract_version(), 1u);
  EXPECT_EQ(hello.validator_count(), 4u);
  EXPECT_EQ(hello.slot_duration_ms(), EngineNode::kSlotMs);
  EXPECT_EQ(hello.status().head().root(), rpc::BytesToProto(node_.genesis().block_root));
  EXPECT_EQ(node_.network().View().peer_id(), "16Uiu2HAmEngine");
  EXPECT_EQ(node_.network().trouble(), "");
  const SignedBlockPtr block = MakeChain(1).front();
  EXPECT_TRUE(engine_->Await([&](const v1::BeaconToEngine& m) {
    return m.has_status() && m.status().head().root() == rpc::BytesToProto(RootOf(block));
  }));
}

TEST_F(NetworkTest, GoodItemsAreAcceptedAndWrongOnesRejected) {
  AddPeer(1);
  const SignedBlockPtr block = node_.Build(1);
  auto forged = std::make_shared<SignedBlockWithAttestation>(*block);
  forged->signature[0].data[50] ^= 1;
  engine_->SendBlock(1, 1, ssz::SerializeToString(*forged));
  EXPECT_EQ(engine_->AwaitVerdict(1), v1::Verdict::REJECT);
  EXPECT_TRUE(Eventually([&] { return Offences(Offence::kInvalidItem) == 1; }));
  engine_->SendBlock(2, 1, ssz::SerializeToString(*block));
  EXPECT_EQ(engine_->AwaitVerdict(2), v1::Verdict::ACCEPT);
  engine_->SendBlock(3, 1, ssz::SerializeToString(*block));
  EXPECT_EQ(engine_->AwaitVerdict(3), v1::Verdict::IGNORE);
  const AttestationData data = node_.chain().BuildVote(1).value();
  engine_->SendVotes(4, 1,
                     {ssz::SerializeToString(*Keys().Vote(0, data)), ssz::SerializeToString(*Keys().Vote(2, data))});
  EXPECT_EQ(engine_->AwaitVerdict(4), v1::Verdict::ACCEPT);
  EXPECT_EQ(engine_->AwaitVerdict(5), v1::Verdict::ACCEPT);
  EXPECT_TRUE(node_.Has(RootOf(block)));
  EXPECT_EQ(node_.network().counts().in.votes, 2u);
  EXPECT_FALSE(engine_->Await([](const v1::BeaconToEngine& m) { return m.has_publish(); }, kMoment))
      << "the engine passes on what is accepted";
}

TEST_F(NetworkTest, ABlockThatCameTooSoonIsAcceptedWithItsParent) {
  AddPeer(1);
  const SignedBlockPtr parent = node_.Build(1);
  SignedBlockPtr child;
  {
    EngineNode other(address() + ".none", node_.genesis());
    ASSERT_EQ(other.Submit(parent).status, SubmitOutcome::kAccepted);
    child = other.Build(2);
  }
  engine_->SendBlock(1, 1, ssz::SerializeToString(*child));
  EXPECT_FALSE(engine_->AwaitVerdict(1, kMoment));
  ASSERT_EQ(node_.Submit(parent, Origin::Peer(99)).status, SubmitOutcome::kAccepted);
  EXPECT_EQ(engine_->AwaitVerdict(1), v1::Verdict::ACCEPT);
}

TEST_F(NetworkTest, ItPublishesOwnItemsAlone) {
  const SignedBlockPtr block = node_.Build(1);
  ASSERT_EQ(node_.Submit(block).status, SubmitOutcome::kAccepted);
  auto published = engine_->Await([](const v1::BeaconToEngine& m) { return m.publish().blocks_size() > 0; });
  ASSERT_TRUE(published.has_value());
  EXPECT_EQ(published->publish().blocks(0), ssz::SerializeToString(*block));
  const SignedVotePtr vote = Keys().Vote(0, node_.chain().BuildVote(1).value());
  node_.Submit(vote);
  published = engine_->Await([](const v1::BeaconToEngine& m) { return m.publish().votes_size() > 0; });
  ASSERT_TRUE(published.has_value());
  EXPECT_EQ(published->publish().votes(0), ssz::SerializeToString(*vote));
  ASSERT_EQ(node_.Submit(node_.Build(2), Origin::Peer(99)).status, SubmitOutcome::kAccepted);
  EXPECT_FALSE(engine_->Await([](const v1::BeaconToEngine& m) { return m.has_publish(); }, kMoment));
  // Who comes now hears of what was made of late.
  AddPeer(1);
  published = engine_->Await([](const v1::BeaconToEngine& m) { return m.publish().blocks_size() > 0; });
  ASSERT_TRUE(published.has_value());
  EXPECT_EQ(published->publish().blocks(0), ssz::SerializeToString(*block));
  engine_->SendPeer(2, node_.chain_now());
  engine_->Await([](const v1::BeaconToEngine& m) { return m.publish().votes_size() > 0; });
  EXPECT_FALSE(engine_->Await([](const v1::BeaconToEngine& m) { return m.has_publish(); }, kMoment));
}

TEST_F(NetworkTest, AnAnswerIsCollectedAndChecked) {
  const std::vector<SignedBlockPtr> blocks = MakeChain(4);
  const uint64_t peer = AddPeer(1);
  auto answer = AskByRange(peer, 1, 8);
  std::optional<v1::BlockRequest> request = engine_->AwaitRequest();
  ASSERT_TRUE(request.has_value());
  EXPECT_EQ(request->peer(), 1u);
  EXPECT_EQ(request->by_range().count(), 8u);
  engine_->SendAnswer(request->id(), {blocks[0], blocks[1]}, v1::BlockAnswer::MORE);
  engine_->SendAnswer(request->id(), {blocks[2]}, v1::BlockAnswer::MORE);
  engine_->SendAnswer(request->id(), {}, v1::BlockAnswer::COMPLETE);
  EXPECT_THAT(answer.get().value(), SizeIs(3));
  engine_->SendAnswer(request->id(), {blocks[3]}, v1::BlockAnswer::COMPLETE);  // it is over

  const auto ask = [&](v1::BlockAnswer::End end, const std::vector<SignedBlockPtr>& given) {
    auto next = AskByRoot(peer, {RootOf(blocks[0])});
    request = engine_->AwaitRequest();
    engine_->SendAnswer(request->id(), given, end);
    return next.get().status().code();
  };
  EXPECT_EQ(ask(v1::BlockAnswer::COMPLETE, {blocks[0]}), absl::StatusCode::kOk);
  EXPECT_EQ(ask(v1::BlockAnswer::FAILED, {blocks[0]}), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ask(v1::BlockAnswer::OVERLOADED, {}), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ask(v1::BlockAnswer::UNSUPPORTED, {}), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Offences(Offence::kBadAnswer) + Offences(Offence::kUnresponsive), 0u);
  EXPECT_EQ(ask(v1::BlockAnswer::TIMED_OUT, {}), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(Offences(Offence::kUnresponsive), 1u);
  EXPECT_EQ(ask(v1::BlockAnswer::COMPLETE, {blocks[1]}), absl::StatusCode::kDataLoss);
  EXPECT_EQ(Offences(Offence::kBadAnswer), 1u);
  EXPECT_EQ(ask(v1::BlockAnswer::MALFORMED, {}), absl::StatusCode::kDataLoss);
  EXPECT_TRUE(engine_->AwaitEndPeer(1)) << "the second one";
  EXPECT_THAT(node_.network().Peers(), IsEmpty());
  EXPECT_TRUE(absl::IsNotFound(AskByRange(peer, 1, 1).get().status()));
}

TEST_F(NetworkTest, APeerWithoutRangesSaysSo) {
  AddPeer(1, /*serves_range=*/false);
  EXPECT_FALSE(node_.network().Peers()[0].serves_range);
  engine_->SendGone(1);
  ASSERT_TRUE(Eventually([&] { return node_.network().peer_count() == 0; }));
  const uint64_t peer = AddPeer(2);
  auto answer = AskByRange(peer, 1, 8);
  engine_->SendAnswer(engine_->AwaitRequest()->id(), {}, v1::BlockAnswer::UNSUPPORTED);
  EXPECT_TRUE(absl::IsUnavailable(answer.get().status()));
  EXPECT_FALSE(node_.network().Peers()[0].serves_range);
}

TEST_F(NetworkTest, RequestsEndWithTheirPeer) {
  auto answer = AskByRange(AddPeer(1), 1, 8);
  ASSERT_TRUE(engine_->AwaitRequest());
  engine_->SendGone(1);
  EXPECT_TRUE(absl::IsUnavailable(answer.get().status()));
}

TEST_F(NetworkTest, WhatMayNotBeAskedIsNot) {
  const uint64_t peer = AddPeer(1);
  EXPECT_TRUE(absl::IsInvalidArgument(AskByRange(peer, 0, kMaxSlotsAsked + 1).get().status()));
  EXPECT_TRUE(absl::IsInvalidArgument(AskByRoot(peer, {}).get().status()));
  EXPECT_TRUE(absl::IsNotFound(AskByRange(peer + 100, 0, 1).get().status()));
  std::vector<std::future<Answer>> open;
  for (size_t i = 0; i < BlockRequests::kMostOpen; ++i) open.push_back(AskByRange(peer, 1, 8));
  EXPECT_TRUE(absl::IsResourceExhausted(AskByRange(peer, 1, 8).get().status()));
  EXPECT_EQ(node_.network().Peers()[0].requests_open, open.size());
  engine_->EndStream();
  for (auto& answer : open) EXPECT_TRUE(absl::IsUnavailable(answer.get().status()));
}

TEST_F(NetworkTest, PeersRequestsAreAnswered) {
  const std::vector<SignedBlockPtr> blocks = MakeChain(4);
  AddPeer(1);
  const auto slots = [&](uint64_t id) {
    std::vector<uint64_t> found;
    for (const v1::BlockAnswer& piece : engine_->AwaitAnswer(id)) {
      for (const std::string& ssz : piece.blocks())
        found.push_back(ParseItem<SignedBlockWithAttestation>(ssz).value()->message.block.slot);
    }
    return found;
  };
  engine_->SendRequest(1, 1, {.roots = {}, .first_slot = 2, .count = 1024});
  EXPECT_THAT(slots(1), ElementsAre(2, 3, 4));
  engine_->SendRequest(2, 1, {.roots = {RootOf(blocks[3]), Root(), RootOf(blocks[0]), RootOf(blocks[3])}});
  EXPECT_THAT(slots(2), ElementsAre(4, 1)) << "in the order that was asked for, each once";
  engine_->SendRequest(3, 1, {.roots = {Root()}});
  const std::vector<v1::BlockAnswer> nothing = engine_->AwaitAnswer(3);
  ASSERT_THAT(nothing, SizeIs(1));
  EXPECT_EQ(nothing[0].end(), v1::BlockAnswer::COMPLETE);
  EXPECT_EQ(node_.network().counts().requests_in, 3u);
}

// A message has 256 votes at most, whatever the chain hands over together.
TEST_F(NetworkTest, ItPublishesAsManyVotesAsThereAre) {
  constexpr size_t kVotes = 5000;
  node_.outbound().TryPush({.block = nullptr, .votes = std::vector(kVotes, PlainVote(1)), .origin = Origin::Local()});
  size_t published = 0;
  while (published < kVotes) {
    const auto message = engine_->Await([](const v1::BeaconToEngine& m) { return m.publish().votes_size() > 0; });
    ASSERT_TRUE(message.has_value()) << published;
    EXPECT_LE(message->publish().votes_size(), Outbox::kMaxVotesInMessage);
    published += message->publish().votes_size();
  }
  EXPECT_EQ(published, kVotes);
}

TEST_F(NetworkTest, APeerOnAnotherChainIsEnded) {
  ClaimedChain other = node_.chain_now();
  other.finalized.root.data[0] ^= 1;
  engine_->SendPeer(1, other);
  const std::optional<v1::EndPeer> ended = engine_->AwaitEndPeer(1);
  ASSERT_TRUE(ended.has_value());
  EXPECT_EQ(ended->ban_seconds(), 60u);
  EXPECT_THAT(ended->reason(), HasSubstr("another chain"));
  EXPECT_EQ(node_.network().peer_count(), 0u);
  // Nothing is finalized there yet, as some clients say it; and what is above our finalized block may be right.
  other.finalized = {};
  engine_->SendPeer(2, other);
  other.finalized = {.root = Root(), .slot = 3};
  other.finalized.root.data[0] = 7;
  engine_->SendPeer(3, other);
  ASSERT_TRUE(Eventually([&] { return node_.network().peer_count() == 2; }));
  other.finalized.slot = 0;
  engine_->SendStatus(3, other);
  EXPECT_TRUE(engine_->AwaitEndPeer(3));
  EXPECT_EQ(node_.network().peer_count(), 1u);
}

TEST_F(NetworkTest, ABannedPeerIsEndedByTheNextEngineAsWell) {
  engine_->SendPeer(1, node_.chain_now());
  engine_->SendBlock(1, 1, "no block");
  const std::optional<v1::EndPeer> ended = engine_->AwaitEndPeer(1);
  ASSERT_TRUE(ended.has_value());
  EXPECT_EQ(ended->ban_seconds(), 60u);
  EXPECT_EQ(node_.network().counts().peers.bans, 1u);
  Restart();
  Attach();
  engine_->SendPeer(1, node_.chain_now());
  EXPECT_TRUE(engine_->AwaitEndPeer(1));
  EXPECT_EQ(node_.network().counts().peers.bans, 1u);
}

TEST_F(NetworkTest, GoesOnWithTheNextEngine) {
  const uint64_t peer = AddPeer(5);
  auto answer = AskByRange(peer, 1, 8);
  ASSERT_TRUE(engine_->AwaitRequest());
  engine_->Stop();
  EXPECT_TRUE(absl::IsUnavailable(answer.get().status()));
  ASSERT_TRUE(Eventually([&] { return node_.network().peer_count() == 0; }));
  EXPECT_THAT(node_.network().trouble(), HasSubstr(address()));
  const SignedBlockPtr block = node_.Build(1);
  ASSERT_EQ(node_.Submit(block).status, SubmitOutcome::kAccepted) << "duties go on";
  ASSERT_TRUE(Eventually([&] { return node_.log().Count("network_engine_lost") == 1; }));
  Restart();
  Attach();
  // Handles begin anew, and mean others than before. What was made meanwhile is published to the first peer.
  const uint64_t renamed = AddPeer(1);
  EXPECT_GT(renamed, peer);
  EXPECT_TRUE(engine_->Await([](const v1::BeaconToEngine& m) { return m.publish().blocks_size() > 0; }));
  auto again = AskByRange(renamed, 1, 8);
  engine_->SendAnswer(engine_->AwaitRequest()->id(), {}, v1::BlockAnswer::COMPLETE);
  EXPECT_THAT(again.get().value(), IsEmpty());
  EXPECT_EQ(node_.network().counts().engine_lost, 1u);
  EXPECT_EQ(node_.network().trouble(), "");
}

TEST_F(NetworkTest, WhatIsMadeWhileAllPeersAreGoneIsPublishedToTheNextOne) {
  AddPeer(1);
  engine_->SendGone(1);
  ASSERT_TRUE(Eventually([&] { return node_.network().peer_count() == 0; }));
  const auto publishes_a_block = [](const v1::BeaconToEngine& m) { return m.publish().blocks_size() > 0; };
  ASSERT_EQ(node_.Submit(node_.Build(1)).status, SubmitOutcome::kAccepted);
  ASSERT_TRUE(engine_->Await(publishes_a_block));
  AddPeer(2);
  EXPECT_TRUE(engine_->Await(publishes_a_block));
}

TEST_F(NetworkTest, TellsPeopleOfPeersAndOfThoseThatAreNotConnected) {
  AddPeer(1);
  v1::EngineToBeacon message;
  v1::PeerReport& report = *message.mutable_report()->add_peers();
  report.set_peer(1);
  report.set_score(-2.5);
  report.set_bytes_in(100);
  report.set_bytes_out(200);
  report.set_in_vote_mesh(true);
  report.set_accepted(5);
  report.set_ignored(4);
  report.set_rejected(3);
  message.mutable_report()->add_peers()->set_peer(77);  // it has gone, perhaps
  v1::TargetReport& target = *message.mutable_report()->add_targets();
  target.set_address("/ip4/10.0.0.9/udp/1/quic-v1");
  target.set_failure("refused\n");
  target.set_retry_ms(500);
  message.mutable_report()->mutable_counts()->set_bytes_in(1000);
  engine_->Send(message);
  ASSERT_TRUE(Eventually([&] { return node_.network().PeerViews().peers_size() == 2; }));
  const v1::GetPeersResponse views = node_.network().PeerViews();
  const v1::PeerView& peer = views.peers(0);
  EXPECT_EQ(peer.state(), v1::PeerView::CONNECTED);
  EXPECT_EQ(peer.id(), PeerIds()[0]);
  EXPECT_EQ(peer.peer_id(), "peer-1");
  EXPECT_EQ(peer.agent(), "test");
  EXPECT_EQ(peer.address(), "/ip4/10.0.0.1/udp/9000/quic-v1");
  EXPECT_FALSE(peer.outbound());
  EXPECT_EQ(peer.head().root(), ToHex(node_.chain_now().head.root.span()));
  EXPECT_EQ(peer.finalized().slot(), 0u);
  EXPECT_TRUE(peer.serves_range());
  EXPECT_EQ(peer.score(), 0);
  EXPECT_EQ(peer.gossip_score(), -2.5);
  EXPECT_FALSE(peer.in_block_mesh());
  EXPECT_TRUE(peer.in_vote_mesh());
  EXPECT_EQ(peer.items_accepted(), 5u);
  EXPECT_EQ(peer.items_ignored(), 4u);
  EXPECT_EQ(peer.items_rejected(), 3u);
  EXPECT_EQ(peer.bytes_in(), 100u);
  EXPECT_EQ(peer.bytes_out(), 200u);
  EXPECT_GT(peer.connected_since_ms(), 0u);
  EXPECT_EQ(views.peers(1).state(), v1::PeerView::WAITING);
  EXPECT_EQ(views.peers(1).address(), "/ip4/10.0.0.9/udp/1/quic-v1");
  EXPECT_EQ(views.peers(1).failure(), "refused ");
  EXPECT_EQ(views.peers(1).retry_ms(), 500u);
  EXPECT_FALSE(views.peers(1).has_head());
  EXPECT_EQ(node_.network().counts().engines.bytes_in(), 1000u);
  engine_->EndStream();
  ASSERT_TRUE(Eventually([&] { return node_.network().counts().engine_lost == 1; }));
  EXPECT_EQ(node_.network().counts().engines.bytes_in(), 1000u);
}

TEST_F(NetworkTest, TellsOfItsEngine) {
  const v1::NetworkView view = node_.network().View();
  EXPECT_EQ(view.engine(), "scripted/1");
  EXPECT_EQ(view.trouble(), "");
  EXPECT_EQ(view.peer_id(), "16Uiu2HAmEngine");
  EXPECT_EQ(view.enr(), "enr:-scripted");
  EXPECT_THAT(view.addresses(), ElementsAre("/ip4/127.0.0.1/udp/9000/quic-v1"));
  EXPECT_EQ(view.topic_network(), "devnet0");
  std::atomic<bool> attached = false;
  node_.network().WatchEngine([&](bool now) { attached = now; });
  EXPECT_TRUE(attached);
  engine_->Stop();
  ASSERT_TRUE(Eventually([&] { return !attached; }));
  Restart();
  EXPECT_TRUE(Eventually([&] { return attached.load(); }));
  node_.network().WatchEngine(nullptr);
}

}  // namespace
}  // namespace lean::beacon
