// The network engine of one node: what lean-p2p does for its beacon, on the fabric instead of on sockets. It carries
// bytes and verdicts; everything about the chain is decided by the beacon.
#ifndef LEAN_TESTS_SIMULATION_WORLD_SIMULATED_ENGINE_H_
#define LEAN_TESTS_SIMULATION_WORLD_SIMULATED_ENGINE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "beacon/network/engine/engine_link.h"
#include "lean/v1/network_engine.pb.h"
#include "tests/simulation/world/fabric.h"
#include "tests/simulation/world/virtual_time.h"

namespace lean::simulation {

// How a node misbehaves on the network. Nothing set: it is honest.
struct Behaviour {
  bool withholds = false;  // does not publish its blocks and votes
  bool silent = false;     // forwards nothing and answers no requests
  bool lies = false;       // claims a head that nobody has
  bool garbage = false;    // sends malformed items and wrong signatures
};

// What happens at an engine, for those who watch the run.
struct EngineWatch {
  // A message has reached the beacon.
  std::function<void()> delivered = [] {};
  // The beacon ends a peer.
  std::function<void(size_t node, uint32_t ban_seconds, const std::string& why)> peer_ended = [](size_t, uint32_t,
                                                                                                 const std::string&) {};
  // The beacon has judged an item: true for REJECT.
  std::function<void(size_t from, bool reject)> judged = [](size_t, bool) {};
  // The beacon says that a message violates the contract.
  std::function<void(const absl::Status&)> violated = [](const absl::Status&) {};
};

class SimulatedEngine final : public beacon::EngineLink {
 public:
  // All but `watch` outlive the engine.
  SimulatedEngine(Fabric& fabric, size_t node, const Behaviour& behaviour, beacon::EngineLinkOwner& owner,
                  EngineWatch watch);
  ~SimulatedEngine() override;

  // --- As the beacon uses it ---
  void Start() override;
  void Stop() override {}
  void Send(uint64_t stream, v1::BeaconToEngine message) override;
  void Tick(SteadyTime) override {}
  uint64_t attached() const override { return attached_; }
  size_t waiting_answer_bytes() const override { return 0; }
  metrics::Footprint queue() const override { return {}; }
  v1::EngineHello hello() const override { return {}; }
  std::string trouble() const override { return ""; }
  uint64_t lost() const override { return 0; }
  void Watch(std::function<void(bool attached)>) override {}

  // --- As the other engines use it ---
  bool IsConnected(size_t node) const { return handles_.contains(node); }
  bool Bans(size_t node) const;
  void OnConnected(size_t node, bool outbound, const v1::ChainStatus& status);
  void OnDisconnected(size_t node, v1::PeerDisconnected::Cause cause);
  void OnStatus(size_t node, const v1::ChainStatus& status);
  void OnGossip(size_t from, const PayloadPtr& payload);
  // `answer` may be called later, or never.
  void OnRequest(size_t from, v1::BlockRequest request, std::function<void(v1::BlockAnswer)> answer);
  v1::ChainStatus status() const;

  // Ends connections to nodes that cannot be reached any more.
  void DropUnreachable();

  // To run an action later, if the engine still exists then.
  std::weak_ptr<const char> alive() const { return alive_; }

 private:
  static constexpr Ms kDialEvery = 2'000;
  // Items that arrive within this time are handed over together.
  static constexpr Ms kHandOver = 50;
  static constexpr Ms kVerdictTime = 4'000;
  static constexpr Ms kRequestTime = 8'000;

  struct Undecided {
    PayloadPtr payload;  // null: it is decided
    size_t from = 0;
    uint64_t handle = 0;  // of `from`
    Ms came = 0;
  };

  // A request of a peer, and the messages of the answer so far.
  struct Asked {
    std::function<void(v1::BlockAnswer)> answer;
    v1::BlockAnswer collected;
  };

  void Dial();
  void AskStatuses();
  void Publish(const v1::Publish& items);
  void PublishItem(bool is_block, const std::string& bytes);
  void Decide(const v1::Verdict& verdict);
  void Ask(const v1::BlockRequest& request);
  void EndPeer(const v1::EndPeer& message);
  void SendGarbage();
  void Spread(Payload& payload, size_t except);
  void FlushItems();
  void Deliver(const v1::EngineToBeacon& message);
  // Runs `action` after `delay`, unless this engine is gone by then.
  void Later(Ms delay, EventLoop::Action action);
  // Runs `action` with the engine of `to` when a message to it has arrived.
  void SendTo(size_t to, std::function<void(SimulatedEngine& engine)> action);

  Fabric& fabric_;
  EventLoop& loop_;
  const size_t node_;
  const Behaviour& behaviour_;
  beacon::EngineLinkOwner& owner_;
  const EngineWatch watch_;
  const std::shared_ptr<const char> alive_ = std::make_shared<const char>();
  uint64_t attached_ = 0;
  v1::ChainStatus status_;
  uint64_t last_handle_ = 0;
  uint64_t last_request_ = 0;
  absl::btree_map<size_t, uint64_t> handles_;      // of connected nodes
  std::map<uint64_t, size_t> nodes_;               // by handle, also of nodes that have disconnected
  std::map<size_t, Ms> banned_until_;              // by node
  uint64_t first_undecided_ = 1;                   // the id of the first item of the next list
  std::deque<Undecided> undecided_;                // by item id
  size_t arrived_ = 0;                             // the last ones of undecided_, which are not yet handed over
  absl::flat_hash_map<uint64_t, Asked> requests_;  // of peers, by the beacon's id
};

}  // namespace lean::simulation

#endif  // LEAN_TESTS_SIMULATION_WORLD_SIMULATED_ENGINE_H_
