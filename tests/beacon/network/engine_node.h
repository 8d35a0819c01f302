// A beacon's chain and its network with a scripted engine: real signatures and gRPC. Under the thread sanitizer the
// messages stay in memory instead, because gRPC is not instrumented (LEAN_ENGINE_IN_MEMORY).
#ifndef LEAN_TESTS_BEACON_NETWORK_ENGINE_NODE_H_
#define LEAN_TESTS_BEACON_NETWORK_ENGINE_NODE_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "beacon/network/network.h"
#include "tests/beacon/network/chain_node.h"
#include "tests/common/config/temporary_folder.h"

#ifdef LEAN_ENGINE_IN_MEMORY
#include "tests/beacon/network/memory_engine.h"
#else
#include "tests/beacon/network/scripted_engine.h"
#endif

namespace lean::beacon {

#ifdef LEAN_ENGINE_IN_MEMORY
using TestEngine = MemoryEngine;
inline OpenEngineTransport OpenTestEngine(const std::string& address) { return EngineInMemory(address); }
#else
using TestEngine = ScriptedEngine;
inline OpenEngineTransport OpenTestEngine(const std::string& address) { return EngineOverGrpc(address); }
#endif

class EngineNode : public ChainNode {
 public:
  static constexpr uint64_t kSlot = 6;

  explicit EngineNode(const std::string& address, Genesis genesis = GenesisInSlot(kSlot))
      : ChainNode(std::move(genesis)),
        network_(std::make_unique<Network>(address, OpenTestEngine(address), context())) {}
  ~EngineNode() {
    chain().Stop();
    network_->Stop();
  }

  ClaimedChain chain_now() const {
    return chain().Read([](const LeanChain& chain) { return ClaimedChain{chain.finalized(), chain.head()}; });
  }

  Network& network() { return *network_; }

 private:
  std::unique_ptr<Network> network_;
};

// An engine and the beacon that is attached to it.
class EngineTest : public testing::Test {
 protected:
  EngineTest() { Restart(); }

  std::string address() const { return "unix:" + folder_.File("engine.sock"); }
  // An engine that was not there before.
  void Restart(const v1::EngineHello& hello = TestEngine::GoodHello()) {
    engine_.reset();
    engine_ = std::make_unique<TestEngine>(address(), hello);
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
  uint64_t Offences(Offence offence) { return node_.network().counts().peers.Of(offence); }

  TemporaryFolder folder_;
  std::unique_ptr<TestEngine> engine_;
  EngineNode node_{address()};
};

}  // namespace lean::beacon

#endif  // LEAN_TESTS_BEACON_NETWORK_ENGINE_NODE_H_
