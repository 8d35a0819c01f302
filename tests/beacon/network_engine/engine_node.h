// A beacon's chain in slot 1, and its network by way of an engine: real signatures and gRPC.
#ifndef LEAN_TESTS_BEACON_NETWORK_ENGINE_ENGINE_NODE_H_
#define LEAN_TESTS_BEACON_NETWORK_ENGINE_ENGINE_NODE_H_

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "beacon/network_engine/engine_network.h"
#include "common/clock/real_clock.h"
#include "common/ssz/ssz.h"
#include "tests/beacon/network_engine/scripted_engine.h"
#include "tests/beacon/services/test_network.h"
#include "tests/common/config/temporary_folder.h"
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

class EngineNode {
 public:
  static constexpr uint64_t kSlotMs = 60'000;

  // Nodes are of one network when they have one genesis.
  explicit EngineNode(const std::string& address, EngineNetworkOptions options = {},
                      Genesis genesis = GenesisInSlot(kSlot))
      : genesis_(std::move(genesis)),
        slots_(genesis_.state->config.genesis_time, kSlotMs),
        chain_(LeanChain::FromAnchor(genesis_.state, genesis_.block).value(),
               std::make_unique<SignatureVerifier>(Keys().scheme(), Keys().registry(), SignatureVerifierOptions()),
               {.clock = clock_, .slot_clock = slots_, .outbound = outbound_, .log = log_.logger()},
               ChainServiceOptions()) {
    spec_.name = "test";
    spec_.slot_duration_ms = kSlotMs;
    chain_.Start();
    options.address = address;
    auto network = EngineNetwork::Start(options, {.chain = chain_,
                                                  .blocks = blocks_,
                                                  .outbound = outbound_,
                                                  .clock = clock_,
                                                  .genesis = genesis_,
                                                  .spec = spec_,
                                                  .synced = [] { return true; },
                                                  .log = log_.logger()});
    EXPECT_TRUE(network.ok()) << network.status();
    network_ = *std::move(network);
  }
  ~EngineNode() {
    chain_.Stop();
    network_->Stop();
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
  bool Has(const SignedBlockPtr& block) const {
    return chain_.Read([&](const LeanChain& chain) { return chain.HasBlock(RootOf(block)); });
  }
  ClaimedChain chain_now() const {
    return chain_.Read([](const LeanChain& chain) { return ClaimedChain{chain.finalized(), chain.head()}; });
  }

  EngineNetwork& network() { return *network_; }
  ChainService& chain() { return chain_; }
  CapturedLog& log() { return log_; }
  const Genesis& genesis() const { return genesis_; }

  static constexpr uint64_t kSlot = 6;

 private:
  static Genesis GenesisInSlot(uint64_t slot) {
    GenesisConfig config;
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    config.genesis_time =
        static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(now).count()) - slot * kSlotMs / 1000;
    for (const Validator& validator : Keys().registry()) config.validators.push_back(validator.pubkey);
    return MakeGenesis(config).value();
  }

  const Genesis genesis_;
  NetworkSpec spec_;
  RealClock clock_;
  const SlotClock slots_;
  CapturedLog log_;
  OutboundChannel outbound_{100};
  ChainService chain_;
  const MemoryBlockSource blocks_{chain_};
  std::unique_ptr<EngineNetwork> network_;
};

// An engine and the beacon that is attached to it.
class EngineTest : public testing::Test {
 protected:
  EngineTest() { Restart(); }

  std::string address() const { return "unix:" + folder_.File("engine.sock"); }
  // An engine that was not there before.
  void Restart(const v1::EngineHello& hello = ScriptedEngine::GoodHello()) {
    engine_.reset();
    engine_ = std::make_unique<ScriptedEngine>(address(), hello);
  }
  void Attach() {
    ASSERT_TRUE(Eventually([&] { return node_.network().counts().engine_connected && engine_->attached(); }));
  }
  // A peer that claims what we have.
  uint64_t AddPeer(uint64_t handle, bool serves_range = true) {
    engine_->SendPeer(handle, node_.chain_now(), serves_range);
    EXPECT_TRUE(Eventually([&] { return PeerIds().size() >= 1 && log_has_peer(handle); }));
    return PeerIds().back();
  }
  std::vector<uint64_t> PeerIds() {
    std::vector<uint64_t> ids;
    for (const PeerInfo& peer : node_.network().Peers()) ids.push_back(peer.id);
    return ids;
  }
  bool log_has_peer(uint64_t handle) { return node_.log().Count("node=peer-" + std::to_string(handle)) > 0; }

  TemporaryFolder folder_;
  std::unique_ptr<ScriptedEngine> engine_;
  EngineNode node_{address()};
};

}  // namespace lean::beacon

#endif  // LEAN_TESTS_BEACON_NETWORK_ENGINE_ENGINE_NODE_H_
