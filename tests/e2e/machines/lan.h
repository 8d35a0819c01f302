// Ethernet between the machines of a test, as bad as the test wants it: LANs whose links delay, lose and block frames.
#ifndef LEAN_TESTS_E2E_MACHINES_LAN_H_
#define LEAN_TESTS_E2E_MACHINES_LAN_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "common/bytes/bytes.h"

namespace lean::machines {

// What a link between two ports does to a frame, in either direction.
struct Impairment {
  std::chrono::microseconds delay{0};
  std::chrono::microseconds jitter{0};  // the delay is within this of `delay`, evenly
  uint32_t loss_ppm = 0;                // of a million frames so many are lost
};

struct LanCounters {
  uint64_t delivered = 0;
  uint64_t lost = 0;     // by an impairment
  uint64_t blocked = 0;  // by a blocked link, also those which were on their way when it was blocked
  uint64_t full = 0;     // since too many were on their way over the link
};

// Ports of several LANs, each a learning switch: a frame goes to the port where its destination was last seen as a
// source, or to all the others of its LAN. Frames over one link keep their order. Without I/O and clock; thread
// compatible.
class Lan {
 public:
  using Time = std::chrono::steady_clock::time_point;

  struct Delivery {
    size_t port = 0;  // where it comes out
    std::vector<uint8_t> frame;
  };

  // Frames on their way over one link in one direction.
  static constexpr size_t kLinkFrames = 8192;

  // `seed` is that of losses and jitter.
  explicit Lan(uint64_t seed) : random_(seed) {}

  // The ports count from 0.
  size_t AddPort(std::string lan);
  size_t ports() const { return ports_.size(); }

  // Of the links between two ports, in both directions. A link that is never named is perfect.
  void Impair(size_t a, size_t b, const Impairment& impairment);
  void Block(size_t a, size_t b, bool blocked);

  // A frame that a machine sent into `port`. What is no Ethernet frame goes nowhere.
  void Accept(size_t port, ByteSpan frame, Time now);
  // When the next frame is due to come out; nullopt: none is on its way.
  std::optional<Time> NextDue() const;
  // The next frame that is due by `now`.
  std::optional<Delivery> Pop(Time now);

  const LanCounters& counters() const { return counters_; }

 private:
  struct Link {
    Impairment impairment;
    bool blocked = false;
    size_t frames = 0;  // on their way
    Time last{};        // when the newest of them is due
  };
  struct InFlight {
    Time due;
    uint64_t number = 0;  // of equal times the first one sent comes first
    Link* link = nullptr;
    Delivery delivery;

    bool operator<(const InFlight& other) const {  // a heap has its greatest first
      return std::pair(other.due, other.number) < std::pair(due, number);
    }
  };

  void Send(size_t from, size_t to, ByteSpan frame, Time now);
  // The link in one direction. Its address stays.
  Link& LinkOf(size_t from, size_t to) { return links_[{from, to}]; }

  std::mt19937_64 random_;
  std::vector<std::string> ports_;  // the LAN of each
  std::map<std::pair<size_t, size_t>, Link> links_;
  absl::flat_hash_map<std::pair<std::string, uint64_t>, size_t> learned_;  // LAN and hardware address to port
  std::vector<InFlight> in_flight_;                                        // a heap, the next one due first
  uint64_t next_number_ = 0;
  LanCounters counters_;
};

}  // namespace lean::machines

#endif  // LEAN_TESTS_E2E_MACHINES_LAN_H_
