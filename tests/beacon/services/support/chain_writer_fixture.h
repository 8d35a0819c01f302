// A ChainWriter on a chain of four validators and a clock moved by hand.
#ifndef LEAN_TESTS_BEACON_SERVICES_SUPPORT_CHAIN_WRITER_FIXTURE_H_
#define LEAN_TESTS_BEACON_SERVICES_SUPPORT_CHAIN_WRITER_FIXTURE_H_

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <utility>
#include <vector>

#include "beacon/services/chain_metrics.h"
#include "beacon/services/chain_writer.h"
#include "beacon/services/events/event_history.h"
#include "common/clock/manual_clock.h"
#include "common/metrics/metrics.h"
#include "tests/beacon/services/support/chain_source.h"
#include "tests/common/process/captured_log.h"

namespace lean::beacon {

inline constexpr uint64_t kGenesisTime = 1'700'000'000;
inline constexpr int64_t kGenesisMs = kGenesisTime * 1000;

inline constexpr int64_t kSlotMs = 400;

class ChainWriterTest : public testing::Test {
 protected:
  static constexpr uint64_t kValidators = 4;

  explicit ChainWriterTest(size_t outbound_capacity = 1000, const ChainWriterOptions& options = {},
                           ChainObserver* observer = nullptr,
                           std::function<void(const WantedState&)> want_state = nullptr)
      : outbound_(outbound_capacity),
        writer_({.chain = chain_,
                 .mutex = mutex_,
                 .seen_votes = seen_votes_,
                 .outbound = outbound_,
                 .clock = clock_,
                 .slot_clock = SlotClock(kGenesisTime, kSlotMs),
                 .log = log_.logger(),
                 .observer = observer,
                 .want_state = std::move(want_state),
                 .events = &events_,
                 .metrics = &metrics_},
                options) {}

  void GoTo(uint64_t slot, uint64_t interval = 0) {
    const int64_t target = kGenesisMs + static_cast<int64_t>(slot) * kSlotMs + static_cast<int64_t>(interval) * 100;
    clock_.Advance(std::chrono::milliseconds(target - clock_.WallMs()));
    writer_.CatchUp();
  }

  SubmitOutcome Import(const SignedBlockPtr& block, const Origin& origin = Origin::Local()) {
    return writer_.ImportBlock(block, ChainSource::RootOf(block), origin);
  }
  std::vector<SubmitOutcome> Import(const std::vector<SignedVotePtr>& votes, const Origin& origin = Origin::Local()) {
    std::vector<Root> roots;
    for (const SignedVotePtr& vote : votes) roots.push_back(ChainSource::RootOf(vote));
    return writer_.ImportVotes(votes, roots, origin);
  }

  // Imports the block and the votes of all validators in each slot from 1 to `last_slot`.
  void ImportFullSlots(uint64_t last_slot) {
    for (uint64_t slot = 1; slot <= last_slot; ++slot) {
      GoTo(slot);
      Import(source_.AddBlock(slot));
      for (uint64_t validator = 0; validator < kValidators; ++validator) {
        if (validator == slot % kValidators) continue;
        const SignedVotePtr vote = source_.Vote(validator, slot);
        Import({vote});
        ASSERT_TRUE(source_.chain().OnVote(vote).ok());
      }
      GoTo(slot, 3);
      source_.chain().OnInterval(slot * 4 + 3);
    }
  }

  // Roots of the blocks that were published, in order, and the number of votes.
  std::vector<Root> PublishedBlocks() {
    std::vector<Root> roots;
    while (outbound_.size() > 0) {
      const OutboundItem item = *outbound_.Pop();
      if (item.block != nullptr) roots.push_back(ChainSource::RootOf(item.block));
      published_votes_ += item.votes.size();
    }
    return roots;
  }

  const Genesis genesis_ = ChainSource::TestGenesis(kValidators, kGenesisTime);
  ChainSource source_{genesis_};
  LeanChain chain_ = LeanChain::FromAnchor(genesis_.state, genesis_.block).value();
  SharedMutex mutex_;
  SeenVotes seen_votes_{kValidators};
  ManualClock clock_{kGenesisMs};
  CapturedLog log_;
  EventHistory events_{1};
  OutboundChannel outbound_;
  metrics::Registry registry_;
  ChainMetrics metrics_{registry_};
  ChainWriter writer_;
  size_t published_votes_ = 0;
};

}  // namespace lean::beacon

#endif  // LEAN_TESTS_BEACON_SERVICES_SUPPORT_CHAIN_WRITER_FIXTURE_H_
