#include "tests/e2e/machines/lan.h"

#include <algorithm>

namespace lean::machines {
namespace {

constexpr size_t kHeaderBytes = 14;  // destination, source, type
constexpr size_t kAddressBytes = 6;

uint64_t AddressAt(ByteSpan frame, size_t offset) {
  uint64_t address = 0;
  for (size_t i = 0; i < kAddressBytes; ++i) address = address << 8 | frame[offset + i];
  return address;
}

bool IsGroup(uint64_t address) { return (address >> 40 & 1) != 0; }

}  // namespace

size_t Lan::AddPort(std::string lan) {
  ports_.push_back(std::move(lan));
  return ports_.size() - 1;
}

void Lan::Impair(size_t a, size_t b, const Impairment& impairment) {
  LinkOf(a, b).impairment = impairment;
  LinkOf(b, a).impairment = impairment;
}

void Lan::Block(size_t a, size_t b, bool blocked) {
  LinkOf(a, b).blocked = blocked;
  LinkOf(b, a).blocked = blocked;
}

void Lan::Accept(size_t port, ByteSpan frame, Time now) {
  if (frame.size() < kHeaderBytes) return;
  const std::string& lan = ports_[port];
  const uint64_t destination = AddressAt(frame, 0);
  const uint64_t source = AddressAt(frame, kAddressBytes);
  if (!IsGroup(source)) learned_[{lan, source}] = port;
  if (!IsGroup(destination)) {
    if (const auto it = learned_.find(std::pair(lan, destination)); it != learned_.end()) {
      if (it->second != port) Send(port, it->second, frame, now);
      return;
    }
  }
  for (size_t other = 0; other < ports_.size(); ++other) {
    if (other != port && ports_[other] == lan) Send(port, other, frame, now);
  }
}

void Lan::Send(size_t from, size_t to, ByteSpan frame, Time now) {
  Link& link = LinkOf(from, to);
  if (link.blocked) {
    ++counters_.blocked;
    return;
  }
  const Impairment& impairment = link.impairment;
  if (std::uniform_int_distribution<uint32_t>(0, 999'999)(random_) < impairment.loss_ppm) {
    ++counters_.lost;
    return;
  }
  if (link.frames == kLinkFrames) {
    ++counters_.full;
    return;
  }
  const int64_t spread = impairment.jitter.count();
  const std::chrono::microseconds jitter(std::uniform_int_distribution<int64_t>(-spread, spread)(random_));
  link.last = std::max(link.last, now + std::max(impairment.delay + jitter, std::chrono::microseconds(0)));
  ++link.frames;
  in_flight_.push_back(InFlight{.due = link.last,
                                .number = next_number_++,
                                .link = &link,
                                .delivery = {.port = to, .frame = std::vector<uint8_t>(frame.begin(), frame.end())}});
  std::push_heap(in_flight_.begin(), in_flight_.end());
}

std::optional<Lan::Time> Lan::NextDue() const {
  return in_flight_.empty() ? std::nullopt : std::optional(in_flight_.front().due);
}

std::optional<Lan::Delivery> Lan::Pop(Time now) {
  while (!in_flight_.empty() && in_flight_.front().due <= now) {
    std::pop_heap(in_flight_.begin(), in_flight_.end());
    InFlight next = std::move(in_flight_.back());
    in_flight_.pop_back();
    --next.link->frames;
    if (next.link->blocked) {
      ++counters_.blocked;
      continue;
    }
    ++counters_.delivered;
    return std::move(next.delivery);
  }
  return std::nullopt;
}

}  // namespace lean::machines
