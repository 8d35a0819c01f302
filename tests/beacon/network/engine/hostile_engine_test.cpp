// Engines that do not keep to the contract, or are not there: the beacon leaves them, says why, and tries again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <string>
#include <vector>

#include "beacon/network/engine/engine_stream.h"
#include "tests/beacon/network/engine_node.h"

namespace lean::beacon {
namespace {

using testing::Contains;
using testing::HasSubstr;

class HostileEngineTest : public EngineTest {
 protected:
  // After this, the beacon ends the stream with these words in its log, and opens the next one.
  void ExpectLeft(const std::function<void()>& act, const std::string& said) {
    Attach();
    const int streams = engine_->streams();
    act();
    ASSERT_TRUE(Eventually([&] { return engine_->streams() > streams; })) << said;
    Attach();
    EXPECT_THAT(node_.log().lines(), Contains(HasSubstr(said)));
  }
  void ExpectLeft(const v1::EngineToBeacon& message, const std::string& said) {
    ExpectLeft([&] { engine_->Send(message); }, said);
  }
};

TEST_F(HostileEngineTest, WhatIsNotOfTheContractEndsTheStream) {
  v1::EngineToBeacon message;
  *message.mutable_hello() = TestEngine::GoodHello();
  ExpectLeft(message, "a second hello");
  message.mutable_disconnected()->set_peer(3);
  ExpectLeft(message, "peer: 3 was never named");
  message.mutable_answer()->set_id(12);
  ExpectLeft(message, "answer.id: 12 was never asked");
  message.mutable_request()->set_peer(9);
  ExpectLeft(message, "peer: 9 was never named");
  message.mutable_connected()->set_peer(1);
  ExpectLeft(message, "connected.peer_id: missing");
  message.mutable_connected()->set_peer_id("peer");
  ExpectLeft(message, "status.finalized: missing");
  *message.mutable_connected()->mutable_status() = ToProto(node_.chain_now());
  message.mutable_connected()->mutable_status()->mutable_head()->set_root("short");
  ExpectLeft(message, "5 bytes, expected 32");
  ExpectLeft(
      [&] {
        engine_->SendPeer(4, node_.chain_now());
        engine_->SendPeer(4, node_.chain_now());
      },
      "connected.peer: 4 after 4");
  ExpectLeft(
      [&] {
        engine_->SendPeer(1, node_.chain_now());
        v1::EngineToBeacon request;
        request.mutable_request()->set_peer(1);
        request.mutable_request()->mutable_by_root();
        engine_->Send(request);
      },
      "request.by_root.roots: 0");
  EXPECT_EQ(node_.Submit(node_.Build(1)).status, SubmitOutcome::kAccepted) << "duties go on";
}

TEST_F(HostileEngineTest, PeersWithoutEnd) {
  ExpectLeft(
      [&] {
        for (uint64_t peer = 1; peer <= 1025; ++peer) engine_->SendPeer(peer, node_.chain_now());
      },
      "connected: more than 1024 peers");
}

TEST_F(HostileEngineTest, UnknownFieldsAreNotKept) {
  const std::string unknown(1 << 20, 'x');
  v1::EngineHello hello = TestEngine::GoodHello();
  hello.GetReflection()->MutableUnknownFields(&hello)->AddLengthDelimited(900, unknown);
  const absl::StatusOr<v1::EngineHello> kept_hello = Checked(hello);
  ASSERT_TRUE(kept_hello.ok()) << kept_hello.status();
  EXPECT_LT(kept_hello->SpaceUsedLong(), 10'000u);

  v1::PeerConnected connected;
  connected.set_peer(1);
  connected.set_peer_id("peer");
  v1::ChainStatus* status = connected.mutable_status();
  status->GetReflection()->MutableUnknownFields(status)->AddLengthDelimited(900, unknown);
  const absl::StatusOr<v1::PeerConnected> kept_peer = Checked(connected);
  ASSERT_TRUE(kept_peer.ok()) << kept_peer.status();
  EXPECT_LT(kept_peer->SpaceUsedLong(), 10'000u);

  v1::EngineReport report;
  v1::PeerReport* peer = report.add_peers();
  peer->GetReflection()->MutableUnknownFields(peer)->AddLengthDelimited(900, unknown);
  v1::EngineCounts* counts = report.mutable_counts();
  counts->GetReflection()->MutableUnknownFields(counts)->AddLengthDelimited(900, unknown);
  EXPECT_LT(Checked(report).SpaceUsedLong(), 10'000u);
}

TEST_F(HostileEngineTest, MoreThan16MiBInOneMessage) {
  ExpectLeft([&] { engine_->SendBlock(1, 1, std::string(17 << 20, 'x')); }, "larger than max");
}

// What others say of themselves is no text of ours: it can neither break a line of the log nor forge a field.
TEST_F(HostileEngineTest, TextsOfOthersAreCutAndCleaned) {
  const std::string bad = "x\" offence=NONE\nforged line\x1b[31m" + std::string(1000, 'y');
  v1::EngineHello hello = TestEngine::GoodHello();
  hello.set_agent(bad);
  hello.set_enr(bad);
  hello.add_addresses(bad);
  Restart(hello);
  Attach();
  v1::EngineToBeacon message;
  v1::PeerConnected& peer = *message.mutable_connected();
  peer.set_peer(1);
  peer.set_peer_id(bad);
  peer.set_agent(bad);
  peer.set_address(bad);
  *peer.mutable_status() = ToProto(node_.chain_now());
  engine_->Send(message);
  message.mutable_report()->add_targets()->set_failure(bad);
  engine_->Send(message);
  ASSERT_TRUE(Eventually([&] { return node_.network().PeerViews().peers_size() == 2; }));
  const v1::GetPeersResponse views = node_.network().PeerViews();
  const v1::NetworkView view = node_.network().View();
  std::promise<absl::Status> answer;
  node_.network().BlocksByRange(PeerIds()[0], 1, 1, [&](const auto& blocks) { answer.set_value(blocks.status()); });
  message.mutable_answer()->set_id(engine_->AwaitRequest()->id());
  message.mutable_answer()->set_end(v1::BlockAnswer::FAILED);
  message.mutable_answer()->set_message(bad);
  engine_->Send(message);
  const std::string failure(answer.get_future().get().message());
  message.mutable_disconnected()->set_peer(1);
  message.mutable_disconnected()->set_reason(bad);
  engine_->Send(message);
  ASSERT_TRUE(Eventually([&] { return node_.log().Count("peer_disconnected") == 1; }));
  for (const std::string& text : {views.peers(0).peer_id(), views.peers(0).agent(), views.peers(0).address(),
                                  views.peers(1).failure(), view.engine(), view.enr(), view.addresses(1), failure}) {
    EXPECT_FALSE(text.empty());
    EXPECT_LE(text.size(), 515u) << text;
    EXPECT_EQ(text.find_first_of("\"\n\x1b"), std::string::npos) << text;
  }
  for (const std::string& line : node_.log().lines()) {
    EXPECT_EQ(line.find_first_of("\n\x1b"), std::string::npos) << line;
    EXPECT_EQ(line.find("x\" offence=NONE"), std::string::npos) << line;
  }
}

TEST_F(HostileEngineTest, AMessageOfANewerEngineIsSkipped) {
  Attach();
  const int streams = engine_->streams();
  engine_->Send(v1::EngineToBeacon());
  AddPeer(1);
  EXPECT_EQ(engine_->streams(), streams);
}

TEST_F(HostileEngineTest, AnotherVersionOfTheContract) {
  v1::EngineHello hello = TestEngine::GoodHello();
  hello.set_contract_version(2);
  Restart(hello);
  ASSERT_TRUE(Eventually([&] { return engine_->streams() > 2; }));
  EXPECT_THAT(node_.log().lines(), Contains(HasSubstr("version 2 of the contract, this beacon version 1")));
  EXPECT_FALSE(node_.network().counts().engine_connected);
}

TEST_F(HostileEngineTest, TheFirstMessageIsNoHello) {
  Restart(v1::EngineHello());
  ASSERT_TRUE(Eventually([&] { return engine_->attached(); }));
  const int streams = engine_->streams();
  engine_->Send(v1::EngineToBeacon());
  ASSERT_TRUE(Eventually([&] { return engine_->streams() > streams; }));
  EXPECT_THAT(node_.log().lines(), Contains(HasSubstr("the first message is not a hello")));
}

// It starts without one, says so once, and finds it when it comes.
TEST(AbsentEngineTest, ComesLater) {
  TemporaryFolder folder;
  const std::string address = "unix:" + folder.File("engine.sock");
  EngineNode node(address);
  ASSERT_TRUE(Eventually([&] { return node.log().Count("network_engine_absent") == 1; }));
  EXPECT_THAT(node.network().trouble(), HasSubstr(address));
  EXPECT_EQ(node.Submit(node.Build(1)).status, SubmitOutcome::kAccepted);
  TestEngine engine(address);
  ASSERT_TRUE(Eventually([&] { return node.log().Count("network_engine_attached") == 1; }));
  EXPECT_TRUE(node.network().counts().engine_connected);
  EXPECT_EQ(node.log().Count("network_engine_absent"), 1u);
}

TEST(EngineAddressTest, OnlyThisMachinesAddressesAreForAnEngine) {
  for (const char* good : {"unix:/run/engine.sock", "127.0.0.1:9100"}) {
    EXPECT_TRUE(EngineStream::CheckAddress(good).ok()) << good;
  }
  for (const char* bad :
       {"10.0.0.1:9100", "0.0.0.0:9100", "localhost:9100", "[::1]:9100", "127.0.0.1:0", "engine.sock"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(EngineStream::CheckAddress(bad))) << bad;
  }
}

}  // namespace
}  // namespace lean::beacon
