#include "beacon/network/handshake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <variant>

namespace lean::beacon {
namespace {

using testing::HasSubstr;

Identity Own() {
  Identity own{
      .network = "test", .genesis_root = {}, .spec_digest = {}, .node = {}, .name = "node-1", .version = "0.1"};
  own.genesis_root.data[0] = 1;
  own.spec_digest.data[0] = 2;
  own.node.data[0] = 3;
  return own;
}

PeerChain Chain() {
  PeerChain chain{.head = {}, .finalized = {}, .earliest_slot = 5, .synced = true};
  chain.head.slot = 20;
  chain.finalized.slot = 10;
  return chain;
}

SessionId Session() {
  SessionId session;
  session.data[0] = 9;
  return session;
}

class HandshakeTest : public testing::Test {
 protected:
  // The reason that the status is refused with, or "".
  std::string Refusal(bool from_listener = true) {
    const auto checked = CheckStatus(Own(), status_, from_listener);
    const Goodbye* goodbye = std::get_if<Goodbye>(&checked);
    return goodbye == nullptr ? "" : ReasonName(goodbye->reason);
  }

  v1::PeerStatus status_ = MakeStatus(Own(), Chain(), Session());
};

TEST_F(HandshakeTest, WhatWasSaidIsUnderstood) {
  const auto checked = CheckStatus(Own(), status_, /*from_listener=*/true);
  ASSERT_TRUE(std::holds_alternative<PeerIdentity>(checked));
  const auto& peer = std::get<PeerIdentity>(checked);
  EXPECT_EQ(peer.node, Own().node);
  EXPECT_EQ(peer.name, "node-1");
  EXPECT_EQ(peer.version, "0.1");
  EXPECT_EQ(peer.chain, Chain());
  EXPECT_EQ(peer.session, Session());
}

TEST_F(HandshakeTest, ADiallerNeedsNoSessionAndAListenerDoes) {
  status_.clear_session();
  EXPECT_EQ(Refusal(/*from_listener=*/false), "");
  EXPECT_EQ(Refusal(/*from_listener=*/true), "MALFORMED");
}

TEST_F(HandshakeTest, EachMismatchHasItsReason) {
  const v1::PeerStatus good = status_;
  status_.set_protocol_version(2);
  EXPECT_EQ(Refusal(), "WRONG_VERSION");
  status_ = good;
  status_.set_network("other\nnetwork");
  EXPECT_EQ(Refusal(), "WRONG_NETWORK");
  const auto checked = CheckStatus(Own(), status_, true);
  EXPECT_THAT(std::get<Goodbye>(checked).message, HasSubstr("other network"));
  status_ = good;
  status_.set_genesis_root(std::string(32, 'x'));
  EXPECT_EQ(Refusal(), "WRONG_GENESIS");
  status_ = good;
  status_.set_spec_digest(std::string(32, 'x'));
  EXPECT_EQ(Refusal(), "WRONG_SPEC");
  Identity own = Own();
  own.spec_text = SpecText(NetworkSpec());
  EXPECT_EQ(std::get<Goodbye>(CheckStatus(own, status_, true)).message,
            "node-1 has slots of 4000 ms, keys of lifetime 2^32, signatures of form flat, the other node has not: give "
            "both the same network.yaml and start them anew");
}

TEST_F(HandshakeTest, MalformedFieldsAreRefused) {
  const v1::PeerStatus good = status_;
  status_.set_genesis_root("short");
  EXPECT_EQ(Refusal(), "MALFORMED");
  status_ = good;
  status_.clear_spec_digest();
  EXPECT_EQ(Refusal(), "MALFORMED");
  status_ = good;
  status_.set_node_id(std::string(17, 'x'));
  EXPECT_EQ(Refusal(), "MALFORMED");
  status_ = good;
  status_.set_node_name("a name with blanks");
  EXPECT_EQ(Refusal(), "MALFORMED");
  status_ = good;
  status_.mutable_chain()->clear_head();
  EXPECT_EQ(Refusal(), "MALFORMED");
  status_ = good;
  status_.mutable_chain()->mutable_finalized()->set_root("short");
  EXPECT_EQ(Refusal(), "MALFORMED");
  status_ = good;
  status_.clear_chain();
  EXPECT_EQ(Refusal(), "MALFORMED");
}

TEST_F(HandshakeTest, LongTextsAreCut) {
  status_.set_node_version(std::string(1000, 'v'));
  const auto checked = CheckStatus(Own(), status_, true);
  EXPECT_EQ(std::get<PeerIdentity>(checked).version, std::string(64, 'v') + "...");
  v1::PeerGoodbye goodbye;
  goodbye.set_reason(v1::PeerGoodbye::INVALID);
  goodbye.set_message(std::string(300, '"') + "\n");
  EXPECT_EQ(GoodbyeFromProto(goodbye).message, std::string(256, '\'') + "...");
}

TEST(SpecDigest, TellsNetworksApart) {
  const NetworkSpec spec;
  NetworkSpec other = spec;
  other.slot_duration_ms = 400;
  EXPECT_NE(SpecDigest(spec), SpecDigest(other));
  other = spec;
  other.xmss_log_lifetime = 16;
  EXPECT_NE(SpecDigest(spec), SpecDigest(other));
  EXPECT_EQ(SpecDigest(spec), SpecDigest(NetworkSpec()));
}

}  // namespace
}  // namespace lean::beacon
