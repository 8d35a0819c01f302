#include "tests/simulation/world/fabric.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

namespace lean::simulation {

Fabric::Fabric(EventLoop& loop, size_t nodes, size_t peers, uint64_t seed)
    : loop_(loop), random_(seed), neighbours_(nodes), sides_(nodes), engines_(nodes) {
  std::vector<std::set<size_t>> chosen(nodes);
  const auto connect = [&](size_t a, size_t b) {
    if (a == b) return;
    chosen[a].insert(b);
    chosen[b].insert(a);
  };
  for (size_t node = 0; node < nodes; ++node) connect(node, (node + 1) % nodes);
  const size_t wanted = std::min(peers, nodes - 1);
  for (size_t node = 0; node < nodes; ++node) {
    while (chosen[node].size() < wanted) connect(node, random_() % nodes);
  }
  for (size_t node = 0; node < nodes; ++node) neighbours_[node].assign(chosen[node].begin(), chosen[node].end());
}

Ms Fabric::DrawLatency() {
  const double uniform = (static_cast<double>(random_() >> 11) + 0.5) * 0x1p-53;
  return quality_.latency_ms - std::llround(std::log(uniform) * static_cast<double>(quality_.jitter_ms));
}

void Fabric::Send(size_t from, size_t to, Delivery delivery, EventLoop::Action arrive) {
  if (!Reaches(from, to)) return;
  const bool gossip = delivery == Delivery::kGossip;
  if (gossip && Draw(quality_.loss_percent)) return;
  if (gossip && Draw(quality_.repeat_percent)) {
    loop_.In(DrawLatency(), [this, from, to, arrive] { Arrive(from, to, arrive); });
  }
  loop_.In(DrawLatency(), [this, from, to, arrive = std::move(arrive)] { Arrive(from, to, arrive); });
}

void Fabric::Arrive(size_t from, size_t to, const EventLoop::Action& arrive) {
  if (!Reaches(from, to)) return;
  ++messages_;
  arrive();
}

}  // namespace lean::simulation
