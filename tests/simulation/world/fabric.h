// The network between the nodes: which messages arrive, and when.
#ifndef LEAN_TESTS_SIMULATION_WORLD_FABRIC_H_
#define LEAN_TESTS_SIMULATION_WORLD_FABRIC_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "beacon/chain/chain_types.h"
#include "beacon/network/engine/item_codec.h"
#include "tests/simulation/world/virtual_time.h"

namespace lean::simulation {

class SimulatedEngine;

// The quality of all links. Latencies are `latency_ms` plus an exponentially distributed part, so that messages
// overtake each other.
struct LinkQuality {
  Ms latency_ms = 20;
  Ms jitter_ms = 60;            // the mean of the exponential part
  uint32_t loss_percent = 0;    // of gossip messages, on each link
  uint32_t repeat_percent = 0;  // of gossip messages that arrive twice

  friend bool operator==(const LinkQuality&, const LinkQuality&) = default;
};

// An item of gossip. All nodes share it, with what its bytes decode to.
struct Payload : std::enable_shared_from_this<Payload> {
  uint64_t id = 0;  // hash of the content
  bool is_block = false;
  absl::StatusOr<beacon::SignedBlockPtr> block;
  absl::StatusOr<beacon::SignedVotePtr> vote;
  std::vector<uint32_t> seen_by;  // by node: the run of its engine that has seen it; 0: none
  size_t under_way = 0;           // messages with it
};
using PayloadPtr = std::shared_ptr<Payload>;

// Between an engine of the simulation and its beacon, the bytes of an item are a reference to its payload, and decoding
// gives what the payload was decoded to. A reference is valid while the engine waits for the verdict.
std::string ReferenceTo(const PayloadPtr& payload);
beacon::ItemCodec CodecOfReferences();

// Has the engines that run. One thread; the same seed gives the same decisions.
class Fabric {
 public:
  Fabric(EventLoop& loop, size_t nodes, size_t peers, uint64_t seed);

  EventLoop& loop() { return loop_; }
  void SetQuality(const LinkQuality& quality);

  // The nodes with which a node keeps connections: a ring, so that all are connected, and random others. Symmetric.
  const std::vector<size_t>& NeighboursOf(size_t node) const { return neighbours_[node]; }

  // Nodes with different marks do not reach each other.
  void SetSide(size_t node, int side) { sides_[node] = side; }
  bool Reaches(size_t a, size_t b) const { return sides_[a] == sides_[b]; }

  // The engine of a node; null while it is down.
  SimulatedEngine* EngineOf(size_t node) const { return engines_[node]; }
  void SetEngine(size_t node, SimulatedEngine* engine);

  // Runs `arrive` when a message from one node has reached another one. It is not run when the nodes do not reach each
  // other when it is sent or when it arrives.
  void Send(size_t from, size_t to, EventLoop::Action arrive);

  // The item with this content, for as long as engines remember items.
  PayloadPtr Intern(bool is_block, const std::string& bytes);
  // Whether the engine of a node has seen an item. Marks it as seen.
  bool HasSeen(const Payload& payload, size_t node) const { return payload.seen_by[node] == engine_runs_[node]; }
  void See(Payload& payload, size_t node) const { payload.seen_by[node] = engine_runs_[node]; }
  // As Send, to the other engine's OnGossip. The message may be lost or repeated. An engine that has seen the item
  // does not notice it.
  void SendGossip(size_t from, size_t to, Payload& payload);

  uint64_t messages() const { return messages_; }

 private:
  // An item on its way to a node.
  struct Carried {
    uint32_t from = 0;
    uint32_t to = 0;
    Payload* payload = nullptr;  // is kept while messages are under way
  };
  // How long engines remember items.
  static constexpr Ms kSeenFor = 24'000;
  // Gossip takes less time.
  static constexpr Ms kLongestFlight = 16'384;
  // Latencies are drawn from a table: kLatencies quantiles.
  static constexpr size_t kLatencies = 4'096;

  Ms DrawLatency() { return latencies_[random_() % kLatencies]; }
  bool Draw(uint32_t percent) { return percent > 0 && random_() % 100 < percent; }
  void ScheduleGossip(size_t from, size_t to, Payload& payload);
  void DeliverGossip();

  EventLoop& loop_;
  LinkQuality quality_;
  std::vector<Ms> latencies_;
  std::mt19937_64 random_;
  std::vector<std::vector<size_t>> neighbours_;
  std::vector<int> sides_;
  std::vector<SimulatedEngine*> engines_;
  std::vector<uint32_t> engine_runs_;  // by node: the number of its engine's start
  uint32_t last_engine_run_ = 0;
  absl::flat_hash_map<uint64_t, PayloadPtr> payloads_;  // by id
  std::deque<std::pair<Ms, uint64_t>> payload_order_;   // when they were published first
  std::vector<std::vector<Carried>> gossip_;            // under way, by arrival modulo kLongestFlight
  uint64_t messages_ = 0;
};

}  // namespace lean::simulation

#endif  // LEAN_TESTS_SIMULATION_WORLD_FABRIC_H_
