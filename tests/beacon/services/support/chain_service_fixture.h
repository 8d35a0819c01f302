// A ChainService with its threads, on real signatures and a clock moved by hand.
#ifndef LEAN_TESTS_BEACON_SERVICES_SUPPORT_CHAIN_SERVICE_FIXTURE_H_
#define LEAN_TESTS_BEACON_SERVICES_SUPPORT_CHAIN_SERVICE_FIXTURE_H_

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "beacon/services/chain_service.h"
#include "common/clock/manual_clock.h"
#include "tests/beacon/services/support/test_network.h"
#include "tests/common/process/captured_log.h"

namespace lean::beacon {

inline constexpr std::chrono::milliseconds kInterval(TestNetwork::kSlotMs / 4);

class ChainServiceTest : public testing::Test {
 protected:
  static constexpr uint64_t kValidators = 4;

  explicit ChainServiceTest(const ChainServiceOptions& options = {}, ChainObserver* observer = nullptr)
      : service_(network_.Chain(), network_.Verifier(),
                 {.clock = clock_,
                  .slot_clock = SlotClock(TestNetwork::kGenesisTime, TestNetwork::kSlotMs),
                  .outbound = outbound_,
                  .log = log_.logger(),
                  .observer = observer},
                 options) {}

  uint64_t ChainTime() const {
    return service_.Read([](const LeanChain& chain) { return chain.time_intervals(); });
  }

  // Moves time on interval by interval, letting the service tick at each.
  void GoTo(uint64_t slot, uint64_t interval) {
    while (ChainTime() < slot * 4 + interval) {
      const uint64_t time = ChainTime();
      clock_.AwaitWaiters(1);
      clock_.Advance(kInterval);
      while (ChainTime() == time) std::this_thread::yield();
    }
  }

  std::future<SubmitOutcome> Submit(SignedBlockPtr block, const Origin& origin = Origin::Local()) {
    auto promise = std::make_shared<std::promise<SubmitOutcome>>();
    service_.SubmitBlock(std::move(block), origin,
                         [promise](SubmitOutcome outcome) { promise->set_value(std::move(outcome)); });
    return promise->get_future();
  }

  std::future<std::vector<SubmitOutcome>> Submit(std::vector<SignedVotePtr> votes,
                                                 const Origin& origin = Origin::Local()) {
    auto promise = std::make_shared<std::promise<std::vector<SubmitOutcome>>>();
    service_.SubmitVotes(std::move(votes), origin,
                         [promise](std::vector<SubmitOutcome> outcomes) { promise->set_value(std::move(outcomes)); });
    return promise->get_future();
  }

  SignedBlockPtr BuildAndSign(uint64_t slot) {
    return network_.SignBlock(service_.BuildBlock(slot, slot % kValidators).value());
  }

  // All that validators do in a slot, the given ones taking part; then on to the next slot.
  void RunSlot(uint64_t slot, const std::vector<uint64_t>& voters) {
    const SubmitOutcome outcome = Submit(BuildAndSign(slot)).get();
    ASSERT_EQ(outcome.status, SubmitOutcome::kAccepted) << outcome.message;
    GoTo(slot, 1);
    const AttestationData data = service_.BuildVote(slot).value();
    std::vector<SignedVotePtr> votes;
    for (uint64_t voter : voters) {
      if (voter != slot % kValidators) votes.push_back(network_.Vote(voter, data));
    }
    for (const SubmitOutcome& vote : Submit(votes).get()) ASSERT_EQ(vote.status, SubmitOutcome::kAccepted);
    GoTo(slot + 1, 0);
  }

  const TestNetwork network_{kValidators};
  ManualClock clock_{TestNetwork::StartMs(0)};
  CapturedLog log_;
  OutboundChannel outbound_{1000};
  ChainService service_;
};

}  // namespace lean::beacon

#endif  // LEAN_TESTS_BEACON_SERVICES_SUPPORT_CHAIN_SERVICE_FIXTURE_H_
