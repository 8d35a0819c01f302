#include "beacon/services/network_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "tests/beacon/services/captured_log.h"

namespace lean::beacon {
namespace {

TEST(NetworkService, CountsWhatItWouldSendAndSaysThatThereAreNoPeers) {
  CapturedLog log;
  OutboundChannel outbound(10);
  NetworkService service(outbound, log.logger());
  service.Start();
  const auto block = std::make_shared<const SignedBlockWithAttestation>();
  const auto vote = std::make_shared<const SignedAttestation>();
  outbound.TryPush({.block = block, .votes = {}, .origin = Origin::Local()});
  outbound.TryPush({.block = nullptr, .votes = {vote, vote}, .origin = Origin::Local()});
  outbound.TryPush({.block = block, .votes = {}, .origin = Origin::Peer(1)});
  outbound.TryPush({.block = nullptr, .votes = {vote}, .origin = Origin::Peer(2)});
  service.Stop();
  EXPECT_EQ(service.counts().own_blocks, 1u);
  EXPECT_EQ(service.counts().own_votes, 2u);
  EXPECT_EQ(service.counts().foreign_blocks, 1u);
  EXPECT_EQ(service.counts().foreign_votes, 1u);
  EXPECT_EQ(outbound.TryPush({.block = block, .votes = {}, .origin = Origin::Local()}), PushResult::kClosed);
  EXPECT_THAT(log.Matching("no peers are configured"), testing::SizeIs(1));
  service.Stop();
}

}  // namespace
}  // namespace lean::beacon
