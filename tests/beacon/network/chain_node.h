// A beacon's chain for tests of its network, with real signatures: the network is added by whoever derives from it.
#ifndef LEAN_TESTS_BEACON_NETWORK_CHAIN_NODE_H_
#define LEAN_TESTS_BEACON_NETWORK_CHAIN_NODE_H_

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "beacon/network/network.h"
#include "common/clock/clock.h"
#include "common/ssz/ssz.h"
#include "tests/beacon/services/support/test_network.h"
#include "tests/common/patience.h"
#include "tests/common/process/captured_log.h"

namespace lean::beacon {

inline testing::AssertionResult Eventually(const std::function<bool()>& condition) {
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > give_up) return testing::AssertionFailure() << "never happened";
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return testing::AssertionSuccess();
}

inline const TestNetwork& Keys() {
  static const auto* const network = new TestNetwork(4);
  return *network;
}

inline Root RootOf(const SignedBlockPtr& block) { return ssz::HashTreeRoot(block->message.block); }

class ChainNode {
 public:
  static constexpr uint64_t kSlotMs = 60'000;

  // Nodes are of one network when they have one genesis.
  explicit ChainNode(Genesis genesis)
      : genesis_(std::move(genesis)),
        slots_(genesis_.state->config.genesis_time, kSlotMs),
        chain_(LeanChain::FromAnchor(genesis_.state, genesis_.block).value(),
               std::make_unique<SignatureVerifier>(Keys().scheme(), Keys().registry(), SignatureVerifierOptions()),
               {.clock = clock_, .slot_clock = slots_, .outbound = outbound_, .log = log_.logger()},
               ChainServiceOptions()) {
    chain_.Start();
  }

  SubmitOutcome Submit(SignedBlockPtr block, const Origin& origin = Origin::Local()) {
    std::promise<SubmitOutcome> promise;
    chain_.SubmitBlock(std::move(block), origin,
                       [&promise](SubmitOutcome outcome) { promise.set_value(std::move(outcome)); });
    return promise.get_future().get();
  }
  void Submit(SignedVotePtr vote) {
    chain_.SubmitVotes({std::move(vote)}, Origin::Local(), [](const std::vector<SubmitOutcome>&) {});
  }
  // The slot's block on our head, signed and not imported.
  SignedBlockPtr Build(uint64_t slot) { return Keys().SignBlock(chain_.BuildBlock(slot, slot % 4).value()); }
  bool Has(const Root& root) const {
    return chain_.Read([&](const LeanChain& chain) { return chain.HasBlock(root); });
  }

  ChainService& chain() { return chain_; }
  const ChainService& chain() const { return chain_; }
  const Genesis& genesis() const { return genesis_; }
  // To the network.
  OutboundChannel& outbound() { return outbound_; }
  CapturedLog& log() { return log_; }

 protected:
  // What the node's network works with. It ends after the chain has stopped.
  NetworkContext context() {
    return {.chain = chain_,
            .blocks = blocks_,
            .outbound = outbound_,
            .clock = clock_,
            .slot = std::chrono::milliseconds(kSlotMs),
            .validators = genesis_.state->validators.size(),
            .log = log_.logger()};
  }

 private:
  const Genesis genesis_;
  RealClock clock_;
  const SlotClock slots_;
  CapturedLog log_;
  OutboundChannel outbound_{100};
  ChainService chain_;
  const MemoryBlockSource blocks_{chain_};
};

// A genesis whose slot `slot` is now.
inline Genesis GenesisInSlot(uint64_t slot) {
  GenesisConfig config;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  config.genesis_time = static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(now).count()) -
                        slot * ChainNode::kSlotMs / 1000;
  for (const Validator& validator : Keys().registry()) config.validators.push_back(validator.pubkey);
  return MakeGenesis(config).value();
}

}  // namespace lean::beacon

#endif  // LEAN_TESTS_BEACON_NETWORK_CHAIN_NODE_H_
