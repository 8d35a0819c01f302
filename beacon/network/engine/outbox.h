// What waits to be sent to the network engine.
#ifndef LEAN_BEACON_NETWORK_ENGINE_OUTBOX_H_
#define LEAN_BEACON_NETWORK_ENGINE_OUTBOX_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>

#include "lean/v1/network_engine.pb.h"

namespace lean::beacon {

// How the parts of the network talk to the engine: void unless this stream is the one that is attached.
using SendToEngine = std::function<void(uint64_t stream, v1::BeaconToEngine message)>;

// What is short goes first: requests, peers that have to go and the status, of which the last one alone; then verdicts,
// own blocks, own votes, and answers last. Verdicts share messages, and so do votes. Thread compatible.
class Outbox {
 public:
  // Of all that waits. An engine that lets more pile up does not read.
  static constexpr size_t kMaxBytes = size_t{96} << 20;
  static constexpr int kMaxVotesInMessage = 256;
  static constexpr int kMaxVerdictsInMessage = 4096;

  void Push(v1::BeaconToEngine message);
  // The next message; nullopt: nothing waits.
  std::optional<v1::BeaconToEngine> Pop();

  bool is_full() const { return bytes_ > kMaxBytes; }
  // Of the answers that wait.
  size_t answer_bytes() const { return answer_bytes_; }

 private:
  enum Urgency : size_t { kControl, kVerdicts, kBlocks, kVotes, kAnswers, kUrgencies };
  struct Waiting {
    v1::BeaconToEngine message;
    size_t bytes = 0;
  };

  static Urgency UrgencyOf(const v1::BeaconToEngine& message);

  std::array<std::deque<Waiting>, kUrgencies> queues_;
  size_t bytes_ = 0;
  size_t answer_bytes_ = 0;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_ENGINE_OUTBOX_H_
