// Beacons in one process, linked over loopback: real chains, signatures and gRPC.
#include "beacon/network/network_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/beacon/network/linked_node.h"
#include "tests/common/rpc/certificates.h"

namespace lean::beacon {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

absl::StatusOr<std::vector<SignedBlockPtr>> AskRange(Node& node, uint64_t peer, uint64_t first, uint64_t count) {
  std::promise<absl::StatusOr<std::vector<SignedBlockPtr>>> promise;
  node.network().BlocksByRange(peer, first, count, [&promise](auto blocks) { promise.set_value(std::move(blocks)); });
  return promise.get_future().get();
}

absl::StatusOr<std::vector<SignedBlockPtr>> AskRoots(Node& node, uint64_t peer, std::vector<Root> roots) {
  std::promise<absl::StatusOr<std::vector<SignedBlockPtr>>> promise;
  node.network().BlocksByRoot(peer, std::move(roots),
                              [&promise](auto blocks) { promise.set_value(std::move(blocks)); });
  return promise.get_future().get();
}

TEST(NetworkService, BlocksAndVotesGoRoundALineOfThree) {
  const Genesis genesis = GenesisInSlot(1);
  Node a("a", genesis);
  Node b("b", genesis);
  Node c("c", genesis);
  b.Start({});
  a.Start({b.address()}, /*listen=*/false);
  c.Start({b.address()}, /*listen=*/false);
  ASSERT_TRUE(Eventually([&] { return b.Linked(2) && a.Linked(1) && c.Linked(1); }));

  const SignedBlockPtr block = a.Build(1);
  ASSERT_EQ(a.Submit(block).status, SubmitOutcome::kAccepted);
  EXPECT_TRUE(Eventually([&] { return b.Has(RootOf(block)) && c.Has(RootOf(block)); }));
  c.Submit(Keys().Vote(2, c.chain().BuildVote(1).value()));
  EXPECT_TRUE(Eventually([&] { return a.chain().seen_votes().Count(1) == 2 && b.chain().seen_votes().Count(1) == 2; }));

  // Each has said how far it is, and nothing went back to where it came from.
  EXPECT_TRUE(Eventually([&] {
    const auto peers = c.network().Peers();
    return peers.size() == 1 && peers[0].head.slot == 1;
  }));
  for (const PeerState& peer : a.network().PeerStates()) {
    EXPECT_EQ(peer.traffic.blocks_out, 1u);
    EXPECT_EQ(peer.traffic.blocks_in, 0u);
    EXPECT_EQ(peer.traffic.votes_in, 1u);
    EXPECT_EQ(peer.score, 0);
  }
  EXPECT_EQ(b.network().counts().duplicates, 0u);
}

TEST(NetworkService, BothEndsOfALinkCanAsk) {
  const Genesis genesis = GenesisInSlot(3);
  Node listener("listener", genesis);
  Node dialler("dialler", genesis);
  std::vector<SignedBlockPtr> blocks;
  for (uint64_t slot = 1; slot <= 3; ++slot) {
    blocks.push_back(listener.Build(slot));
    ASSERT_EQ(listener.Submit(blocks.back()).status, SubmitOutcome::kAccepted);
    ASSERT_EQ(dialler.Submit(blocks.back()).status, SubmitOutcome::kAccepted);
  }
  listener.Start({});
  dialler.Start({listener.address()}, /*listen=*/false);
  ASSERT_TRUE(Eventually([&] { return listener.Linked(1) && dialler.Linked(1); }));
  for (Node* node : {&dialler, &listener}) {
    ASSERT_TRUE(Eventually([&] { return !node->network().Peers().empty(); }));
    const uint64_t peer = node->network().Peers()[0].id;
    // The stream that the listener asks over opens a moment later.
    absl::StatusOr<std::vector<SignedBlockPtr>> range;
    ASSERT_TRUE(Eventually([&] { return (range = AskRange(*node, peer, 2, 5)).ok(); })) << range.status();
    ASSERT_THAT(*range, SizeIs(2));
    EXPECT_EQ(*range->at(0), *blocks[1]);
    const auto by_root = AskRoots(*node, peer, {RootOf(blocks[2]), Root()});
    ASSERT_TRUE(by_root.ok()) << by_root.status();
    ASSERT_THAT(*by_root, SizeIs(1));
    EXPECT_EQ(*by_root->at(0), *blocks[2]);
    EXPECT_TRUE(absl::IsInvalidArgument(AskRange(*node, peer, 0, kMaxSlotsAsked + 1).status()));
    EXPECT_TRUE(absl::IsInvalidArgument(AskRoots(*node, peer, {}).status()));
    EXPECT_TRUE(absl::IsNotFound(AskRange(*node, peer + 100, 0, 1).status()));
  }
}

TEST(NetworkService, TwoThatDialEachOtherKeepOneLink) {
  Node a("a");
  Node b("b");
  a.Start({});
  b.Start({a.address()});
  ASSERT_TRUE(Eventually([&] { return a.Linked(1) && b.Linked(1); }));
  // Another takes a's place, now that b's address is known: it dials b while b dials it.
  a.network().Stop();
  Node c("c");
  c.listen_address_ = a.address();
  c.Start({b.address()});
  ASSERT_TRUE(Eventually([&] { return b.Linked(1) && c.Linked(1); }));
  // Longer than the first pauses between attempts.
  const auto quiet = std::chrono::steady_clock::now() + std::chrono::milliseconds(600);
  ASSERT_TRUE(Eventually([&] { return std::chrono::steady_clock::now() > quiet; }));
  EXPECT_TRUE(b.Linked(1) && c.Linked(1));
  EXPECT_THAT(b.network().Peers(), SizeIs(1));
  EXPECT_THAT(c.network().Peers(), SizeIs(1));
}

TEST(NetworkService, ItselfIsNotDialledAgain) {
  Node a("a");
  a.Start({});
  const std::string address = a.address();
  a.network().Stop();
  Node b("b");
  b.listen_address_ = address;
  b.Start({address});
  ASSERT_TRUE(Eventually([&] { return !b.log().Matching("reason=SELF").empty(); }));
  ASSERT_THAT(b.network().PeerStates(), SizeIs(1));
  EXPECT_TRUE(Eventually([&] { return b.network().PeerStates()[0].state == PeerState::kRefused; }));
  EXPECT_TRUE(b.Linked(0));
}

TEST(NetworkService, OtherNetworksAreRefusedAndBothSaySo) {
  Node a("a");
  Node b("b", GenesisInSlot(1));
  a.Start({});
  b.Start({a.address()});
  EXPECT_TRUE(Eventually([&] {
    return !a.log().Matching("reason=WRONG_GENESIS").empty() && !b.log().Matching("reason=WRONG_GENESIS").empty();
  }));
  Node c("c");
  c.spec().slot_duration_ms = 400;
  c.Start({a.address()});
  EXPECT_TRUE(Eventually([&] {
    return !a.log().Matching("reason=WRONG_SPEC").empty() && !c.log().Matching("reason=WRONG_SPEC").empty();
  }));
  EXPECT_TRUE(a.Linked(0));
}

TEST(NetworkService, APeerThatComesBackIsLinkedAgain) {
  auto a = std::make_unique<Node>("a");
  Node b("b");
  a->Start({});
  const std::string address = a->address();
  b.Start({address});
  ASSERT_TRUE(Eventually([&] { return b.Linked(1); }));
  a.reset();
  ASSERT_TRUE(Eventually([&] { return b.Linked(0); }));
  EXPECT_THAT(b.log().Matching("reason=SHUTTING_DOWN"), SizeIs(1));
  EXPECT_THAT(b.network().PeerStates()[0].last_disconnect_reason, HasSubstr("SHUTTING_DOWN"));
  a = std::make_unique<Node>("a");
  a->listen_address_ = address;
  a->Start({});
  EXPECT_TRUE(Eventually([&] { return b.Linked(1) && a->Linked(1); }));
}

TEST(NetworkService, LinksAreBounded) {
  Node a("a");
  a.Start({}, true, {.peers = 2});
  std::vector<std::unique_ptr<Node>> others;
  for (int i = 0; i < 3; ++i) {
    others.push_back(std::make_unique<Node>("other"));
    others.back()->Start({a.address()}, false);
    ASSERT_TRUE(Eventually([&] { return i == 2 || others.back()->Linked(1); }));
  }
  EXPECT_TRUE(Eventually([&] { return !others[2]->log().Matching("reason=TOO_MANY_PEERS").empty(); }));
  EXPECT_TRUE(a.Linked(2));
}

TEST(NetworkService, AReportedPeerIsSentAwayAndStaysAway) {
  Node a("a");
  Node b("b");
  a.Start({});
  b.Start({a.address()});
  ASSERT_TRUE(Eventually([&] { return a.Linked(1) && b.Linked(1); }));
  a.network().Report(a.network().Peers()[0].id, Offence::kMalformed, "for the test");
  EXPECT_TRUE(Eventually([&] { return !b.log().Matching("reason=MALFORMED").empty(); }));
  EXPECT_TRUE(Eventually([&] { return !b.log().Matching("reason=BANNED").empty(); }));
  EXPECT_TRUE(a.Linked(0));
}

TEST(NetworkService, PeersShowEachOtherCertificates) {
  const std::string dir = testing::TempDir() + "/peer_certificates";
  std::filesystem::create_directories(dir);
  const rpc::CertificateFiles authority = rpc::MakeCertificate(dir, "peers");
  const auto tls = [&](const std::string& name) -> PeerTlsFiles {
    const rpc::CertificateFiles own = rpc::MakeCertificate(dir, name, authority);
    return {.cert = own.cert, .key = own.key, .ca = authority.cert};
  };
  Node a("a");
  Node b("b");
  Node plain("plain");
  Node stranger("stranger");
  a.tls_ = tls("a");
  b.tls_ = tls("b");
  const rpc::CertificateFiles other = rpc::MakeCertificate(dir, "stranger");
  stranger.tls_ = {.cert = other.cert, .key = other.key, .ca = authority.cert};
  a.Start({});
  b.Start({a.address()});
  EXPECT_TRUE(Eventually([&] { return a.Linked(1) && b.Linked(1); }));
  for (Node* node : {&plain, &stranger}) {
    node->Start({a.address()}, /*listen=*/false);
    EXPECT_TRUE(Eventually([&] { return !node->log().Matching("peer_unreachable").empty(); }));
    EXPECT_TRUE(node->Linked(0));
  }
  EXPECT_TRUE(a.Linked(1));
}

TEST(PeerChannels, TlsFilesAreReadOnceAndNotAtEachDial) {
  const std::string dir = testing::TempDir() + "/dial_certificates";
  std::filesystem::create_directories(dir);
  const rpc::CertificateFiles own = rpc::MakeCertificate(dir, "own");
  PeerChannels channels({.cert = own.cert, .key = own.key, .ca = own.cert});
  ASSERT_TRUE(channels.ReadTls().ok());
  std::filesystem::remove_all(dir);
  EXPECT_TRUE(channels.Check("127.0.0.1:9000").ok());
  EXPECT_TRUE(channels.Open("127.0.0.1:9000").ok());
  EXPECT_FALSE(PeerChannels({.cert = own.cert, .key = own.key, .ca = own.cert}).ReadTls().ok());
  channels.Stop();
}

TEST(NetworkService, BadOptionsAreErrors) {
  Node a("a");
  const auto start = [&](NetworkOptions options) {
    RealClock clock;
    OutboundChannel outbound(1);
    const MemoryBlockSource blocks(a.chain());
    options.name = "x";
    return NetworkService::Start(options, {.chain = a.chain(),
                                           .blocks = blocks,
                                           .outbound = outbound,
                                           .clock = clock,
                                           .genesis = Keys().genesis(),
                                           .spec = a.spec(),
                                           .synced = [] { return true; },
                                           .log = a.log().logger()})
        .status();
  };
  EXPECT_FALSE(
      start(
          {.name = {}, .peers = {"nonsense"}, .listen_address = {}, .tls = {}, .limits = {}, .rates = {}, .queue = {}})
          .ok());
  EXPECT_FALSE(
      start({.name = {}, .peers = {}, .listen_address = "1.2.3.4:5", .tls = {}, .limits = {}, .rates = {}, .queue = {}})
          .ok());
  EXPECT_FALSE(start({.name = {},
                      .peers = {},
                      .listen_address = "127.0.0.1:0",
                      .tls = {.cert = "/nowhere", .key = "/nowhere", .ca = "/nowhere"},
                      .limits = {},
                      .rates = {},
                      .queue = {}})
                   .ok());
}

}  // namespace
}  // namespace lean::beacon
