#include "tests/simulation/world/fabric.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <set>
#include <utility>

#include "tests/simulation/world/simulated_engine.h"

namespace lean::simulation {
namespace {

// FNV-1a over words of 8 bytes.
uint64_t HashOf(const std::string& bytes) {
  uint64_t hash = 0xcbf29ce484222325;
  for (size_t at = 0; at < bytes.size(); at += sizeof(uint64_t)) {
    uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, std::min(sizeof(word), bytes.size() - at));
    hash = (hash ^ word) * 0x100000001b3;
    hash ^= hash >> 32;
  }
  return hash;
}

const Payload& PayloadOf(absl::string_view reference) {
  uintptr_t address = 0;
  std::memcpy(&address, reference.data(), sizeof(address));
  return *reinterpret_cast<const Payload*>(address);
}

}  // namespace

std::string ReferenceTo(const PayloadPtr& payload) {
  const auto address = reinterpret_cast<uintptr_t>(payload.get());
  std::string reference(sizeof(address), '\0');
  std::memcpy(reference.data(), &address, sizeof(address));
  return reference;
}

beacon::ItemCodec CodecOfReferences() {
  return {.block = [](absl::string_view reference) { return PayloadOf(reference).block; },
          .vote = [](absl::string_view reference) { return PayloadOf(reference).vote; }};
}

Fabric::Fabric(EventLoop& loop, size_t nodes, size_t peers, uint64_t seed)
    : loop_(loop),
      random_(seed),
      neighbours_(nodes),
      sides_(nodes),
      engines_(nodes),
      engine_runs_(nodes),
      gossip_(kLongestFlight) {
  SetQuality({});
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

void Fabric::SetQuality(const LinkQuality& quality) {
  quality_ = quality;
  latencies_.resize(kLatencies);
  for (size_t i = 0; i < kLatencies; ++i) {
    const double quantile = (static_cast<double>(i) + 0.5) / static_cast<double>(kLatencies);
    const Ms latency = quality.latency_ms - std::llround(std::log(quantile) * static_cast<double>(quality.jitter_ms));
    latencies_[i] = std::min(latency, kLongestFlight - 1);
  }
}

void Fabric::SetEngine(size_t node, SimulatedEngine* engine) {
  engines_[node] = engine;
  if (engine != nullptr) engine_runs_[node] = ++last_engine_run_;
}

void Fabric::Send(size_t from, size_t to, EventLoop::Action arrive) {
  if (!Reaches(from, to)) return;
  loop_.In(DrawLatency(), [this, from, to, arrive = std::move(arrive)] {
    if (!Reaches(from, to)) return;
    ++messages_;
    arrive();
  });
}

PayloadPtr Fabric::Intern(bool is_block, const std::string& bytes) {
  while (!payload_order_.empty() && payload_order_.front().first <= loop_.now() - kSeenFor) {
    const auto oldest = payloads_.find(payload_order_.front().second);
    if (oldest->second->under_way > 0) break;
    payloads_.erase(oldest);
    payload_order_.pop_front();
  }
  const uint64_t id = HashOf(bytes);
  PayloadPtr& payload = payloads_[id];
  if (payload == nullptr) {
    payload = std::make_shared<Payload>();
    payload->id = id;
    payload->is_block = is_block;
    const beacon::ItemCodec real;
    if (is_block) payload->block = real.block(bytes);
    if (!is_block) payload->vote = real.vote(bytes);
    payload->seen_by.resize(engines_.size());
    payload_order_.emplace_back(loop_.now(), id);
  }
  return payload;
}

void Fabric::SendGossip(size_t from, size_t to, Payload& payload) {
  if (!Reaches(from, to) || Draw(quality_.loss_percent)) return;
  if (Draw(quality_.repeat_percent)) ScheduleGossip(from, to, payload);
  ScheduleGossip(from, to, payload);
}

void Fabric::ScheduleGossip(size_t from, size_t to, Payload& payload) {
  ++messages_;
  if (HasSeen(payload, to)) return;
  const Ms latency = DrawLatency();
  std::vector<Carried>& together = gossip_[(loop_.now() + latency) % kLongestFlight];
  if (together.empty()) loop_.In(latency, [this] { DeliverGossip(); });
  together.push_back({static_cast<uint32_t>(from), static_cast<uint32_t>(to), &payload});
  ++payload.under_way;
}

void Fabric::DeliverGossip() {
  const std::vector<Carried> together = std::exchange(gossip_[loop_.now() % kLongestFlight], {});
  for (const auto& [from, to, payload] : together) {
    --payload->under_way;
    if (HasSeen(*payload, to) || engines_[to] == nullptr || !Reaches(from, to)) continue;
    engines_[to]->OnGossip(from, payload->shared_from_this());
  }
}

}  // namespace lean::simulation
