// The network between the nodes: which messages arrive, and when.
#ifndef LEAN_TESTS_SIMULATION_WORLD_FABRIC_H_
#define LEAN_TESTS_SIMULATION_WORLD_FABRIC_H_

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

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

enum class Delivery {
  kGossip,    // may be lost or repeated
  kReliable,  // arrives, unless the nodes cannot reach each other
};

// Has the engines that run. One thread; the same seed gives the same decisions.
class Fabric {
 public:
  Fabric(EventLoop& loop, size_t nodes, size_t peers, uint64_t seed);

  EventLoop& loop() { return loop_; }
  void SetQuality(const LinkQuality& quality) { quality_ = quality; }

  // The nodes with which a node keeps connections: a ring, so that all are connected, and random others. Symmetric.
  const std::vector<size_t>& NeighboursOf(size_t node) const { return neighbours_[node]; }

  // Nodes with different marks do not reach each other.
  void SetSide(size_t node, int side) { sides_[node] = side; }
  bool Reaches(size_t a, size_t b) const { return sides_[a] == sides_[b]; }

  // The engine of a node; null while it is down.
  SimulatedEngine* EngineOf(size_t node) const { return engines_[node]; }
  void SetEngine(size_t node, SimulatedEngine* engine) { engines_[node] = engine; }

  // Runs `arrive` when a message from one node has reached another one. It is not run when the message is lost, or the
  // nodes do not reach each other when it is sent or when it arrives.
  void Send(size_t from, size_t to, Delivery delivery, EventLoop::Action arrive);

  uint64_t messages() const { return messages_; }

 private:
  Ms DrawLatency();
  bool Draw(uint32_t percent) { return percent > 0 && random_() % 100 < percent; }
  void Arrive(size_t from, size_t to, const EventLoop::Action& arrive);

  EventLoop& loop_;
  LinkQuality quality_;
  std::mt19937_64 random_;
  std::vector<std::vector<size_t>> neighbours_;
  std::vector<int> sides_;
  std::vector<SimulatedEngine*> engines_;
  uint64_t messages_ = 0;
};

}  // namespace lean::simulation

#endif  // LEAN_TESTS_SIMULATION_WORLD_FABRIC_H_
