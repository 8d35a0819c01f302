// Beacons in one process, linked over loopback: real chains, signatures and gRPC.
#ifndef LEAN_TESTS_BEACON_NETWORK_LINKED_NODE_H_
#define LEAN_TESTS_BEACON_NETWORK_LINKED_NODE_H_

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "beacon/network/network_service.h"
#include "common/clock/real_clock.h"
#include "common/ssz/ssz.h"
#include "tests/beacon/services/test_network.h"
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

// A chain that waits in slot 1 for blocks, and its network.
class Node {
 public:
  explicit Node(const std::string& name, const Genesis& genesis = Keys().genesis())
      : name_(name),
        genesis_(genesis),
        slots_(genesis.state->config.genesis_time, kSlotMs),
        chain_(LeanChain::FromAnchor(genesis.state, genesis.block).value(),
               std::make_unique<SignatureVerifier>(Keys().scheme(), Keys().registry(), SignatureVerifierOptions()),
               {.clock = clock_, .slot_clock = slots_, .outbound = outbound_, .log = log_.logger()},
               ChainServiceOptions()) {
    spec_.name = "test";
    spec_.slot_duration_ms = kSlotMs;
    chain_.Start();
  }
  ~Node() { Stop(); }

  void Start(const std::vector<std::string>& peers, bool listen = true, PeerTableLimits limits = {}) {
    auto service = NetworkService::Start({.name = name_,
                                          .peers = peers,
                                          .listen_address = listen ? listen_address_ : "",
                                          .tls = tls_,
                                          .limits = limits,
                                          .rates = {},
                                          .queue = {}},
                                         {.chain = chain_,
                                          .blocks = blocks_,
                                          .outbound = outbound_,
                                          .clock = clock_,
                                          .genesis = genesis_,
                                          .spec = spec_,
                                          .synced = [] { return true; },
                                          .log = log_.logger()});
    ASSERT_TRUE(service.ok()) << service.status();
    network_ = *std::move(service);
  }
  void Stop() {
    chain_.Stop();
    if (network_ != nullptr) network_->Stop();
  }

  SubmitOutcome Submit(SignedBlockPtr block) {
    std::promise<SubmitOutcome> promise;
    chain_.SubmitBlock(std::move(block), Origin::Local(),
                       [&promise](SubmitOutcome outcome) { promise.set_value(std::move(outcome)); });
    return promise.get_future().get();
  }
  void Submit(SignedVotePtr vote) {
    chain_.SubmitVotes({std::move(vote)}, Origin::Local(), [](const std::vector<SubmitOutcome>&) {});
  }
  bool Has(const Root& root) const {
    return chain_.Read([&](const LeanChain& chain) { return chain.HasBlock(root); });
  }
  bool Linked(size_t count) const { return network_->linked_peers() == count; }

  NetworkService& network() { return *network_; }
  ChainService& chain() { return chain_; }
  NetworkSpec& spec() { return spec_; }
  CapturedLog& log() { return log_; }
  std::string address() const { return network_->peer_address(); }
  // Of a beacon that fits this one.
  Identity IdentityOf(const std::string& name) const {
    return {.network = spec_.name,
            .genesis_root = genesis_.block_root,
            .spec_digest = SpecDigest(spec_),
            .node = DrawId<NodeId>(),
            .name = name,
            .version = "0"};
  }

  static constexpr uint64_t kSlotMs = 60'000;
  std::string listen_address_ = "127.0.0.1:0";
  PeerTlsFiles tls_;

 private:
  const std::string name_;
  const Genesis genesis_;
  NetworkSpec spec_;
  RealClock clock_;
  const SlotClock slots_;
  CapturedLog log_;
  OutboundChannel outbound_{100};
  ChainService chain_;
  const MemoryBlockSource blocks_{chain_};
  std::unique_ptr<NetworkService> network_;
};

inline SignedBlockPtr BlockOf(Node& node, uint64_t slot) {
  return Keys().SignBlock(node.chain().BuildBlock(slot, slot % 4).value());
}

inline Root RootOf(const SignedBlockPtr& block) { return ssz::HashTreeRoot(block->message.block); }

// A genesis whose slot `slot` is now.
inline Genesis GenesisInSlot(uint64_t slot) {
  GenesisConfig config;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  config.genesis_time = static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(now).count()) -
                        slot * Node::kSlotMs / 1000;
  for (const Validator& validator : Keys().registry()) config.validators.push_back(validator.pubkey);
  return MakeGenesis(config).value();
}

}  // namespace lean::beacon

#endif  // LEAN_TESTS_BEACON_NETWORK_LINKED_NODE_H_
