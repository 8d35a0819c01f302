// The service and its clock.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>

#include "beacon/services/chain_service.h"
#include "tests/beacon/services/support/chain_service_fixture.h"
#include "tests/beacon/services/support/test_network.h"

namespace lean::beacon {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

TEST_F(ChainServiceTest, TicksByTheClockAlone) {
  service_.Start();
  GoTo(2, 3);
  EXPECT_EQ(ChainTime(), 11u);
  EXPECT_EQ(service_.CurrentSlot(), 2);
}

TEST_F(ChainServiceTest, StartCatchesUp) {
  clock_.Advance(milliseconds(TestNetwork::kSlotMs * 1000));
  service_.Start();
  EXPECT_EQ(ChainTime(), 4000u);
}

TEST_F(ChainServiceTest, BeforeGenesisItWaits) {
  clock_.SetWallMs(TestNetwork::StartMs(0) - 150);
  service_.Start();
  clock_.AwaitWaiters(1);
  EXPECT_EQ(service_.CurrentSlot(), -1);
  EXPECT_EQ(ChainTime(), 0u);
  clock_.Advance(milliseconds(150));
  clock_.AwaitWaiters(1);
  EXPECT_EQ(service_.CurrentSlot(), 0);
  GoTo(1, 0);
}

// Votes that are refused for their slot are evidence of the time nevertheless, once their signatures are checked.
TEST_F(ChainServiceTest, OthersVotesTellThatTheClockIsWrong) {
  service_.Start();
  GoTo(200, 0);
  const AttestationData data = network_.DataAt(10);
  auto forged = std::make_shared<SignedAttestation>(*network_.Vote(1, data));
  forged->signature.data[7] ^= 1;
  EXPECT_EQ(Submit({network_.Vote(0, data), network_.Vote(2, data), forged}).get()[0].reason, reason::kStale);
  EXPECT_EQ(service_.signature_counts().verified, 0u) << "those of our own clients, whose clock is ours";
  EXPECT_EQ(Submit({forged}, Origin::Peer(1)).get()[0].reason, reason::kBadSignature) << "an offence of its sender";
  EXPECT_TRUE(service_.clock_status().usable);
  for (const SubmitOutcome& outcome : Submit({network_.Vote(0, data), network_.Vote(2, data)}, Origin::Peer(1)).get()) {
    EXPECT_EQ(outcome.reason, reason::kStale);
  }
  EXPECT_EQ(service_.signature_counts().verified, 2u);
  const ClockStatus status = service_.clock_status();
  EXPECT_FALSE(status.usable);
  EXPECT_THAT(status.message,
              HasSubstr("it is slot 200, but of 2 validators that are heard 2 sign for other slots, most "
                        "of them 190 slots behind: set the clock"));
  // The clock is set, and all goes on.
  clock_.SetWallMs(TestNetwork::StartMs(10));
  EXPECT_TRUE(service_.clock_status().usable);
  EXPECT_EQ(Submit({network_.Vote(3, data)}, Origin::Peer(1)).get()[0].status, SubmitOutcome::kAccepted);
  EXPECT_EQ(ChainTime(), 40u);
  // A vote of the future cannot have come late.
  clock_.SetWallMs(TestNetwork::StartMs(8) - 1);
  EXPECT_EQ(Submit({network_.Vote(1, data)}, Origin::Peer(1)).get()[0].reason, reason::kFutureSlot);
  EXPECT_FALSE(service_.clock_status().usable);
}

TEST_F(ChainServiceTest, AHeadOfTheFutureSaysThatTheClockIsWrong) {
  service_.Start();
  GoTo(6, 0);
  ASSERT_EQ(Submit(BuildAndSign(6)).get().status, SubmitOutcome::kAccepted);
  EXPECT_TRUE(service_.clock_status().usable);
  clock_.SetWallMs(TestNetwork::StartMs(4));
  EXPECT_THAT(service_.clock_status().message, HasSubstr("it is slot 4, but the head has slot 6"));
  clock_.SetWallMs(TestNetwork::StartMs(5));
  EXPECT_TRUE(service_.clock_status().usable);
}

TEST_F(ChainServiceTest, AnItemOneSlotEarlyIsImportedWhenItsSlotBegins) {
  service_.Start();
  GoTo(1, 3);
  const SignedBlockPtr block = BuildAndSign(2);
  const SubmitOutcome outcome = Submit(block).get();
  EXPECT_EQ(outcome.status, SubmitOutcome::kQueued);
  EXPECT_EQ(outcome.reason, reason::kEarly);
  EXPECT_EQ(service_.queue_sizes().waiting_blocks, 1u);
  GoTo(2, 0);
  // The next answer comes after the tick's work.
  Submit({network_.Vote(0, network_.DataAt(1))}).get();
  EXPECT_TRUE(service_.Read([&](const LeanChain& chain) { return chain.HasBlock(outcome.root); }));
  EXPECT_EQ(service_.queue_sizes().waiting_blocks, 0u);
}

TEST_F(ChainServiceTest, AnInterruptedClockStopsTheTicksAndNothingElse) {
  service_.Start();
  clock_.Interrupt();
  EXPECT_EQ(Submit({network_.Vote(0, network_.DataAt(0))}).get().front().status, SubmitOutcome::kAccepted);
  service_.Stop();
}

}  // namespace
}  // namespace lean::beacon
