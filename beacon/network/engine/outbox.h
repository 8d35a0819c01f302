// The queue of messages to the network engine.
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

// Sends a message to the engine. Drops it when `stream` is not the attached one.
using SendToEngine = std::function<void(uint64_t stream, v1::BeaconToEngine message)>;

// Messages leave in this order: requests, end_peer and status, of which only the last is kept; verdicts; own blocks;
// own votes; answers. Verdicts are combined into one message, and so are votes. Thread compatible.
class Outbox {
 public:
  // The most bytes that may wait. When more wait, the engine does not read.
  static constexpr size_t kMaxBytes = size_t{96} << 20;
  static constexpr int kMaxVotesInMessage = 256;
  static constexpr int kMaxVerdictsInMessage = 4096;

  void Push(v1::BeaconToEngine message);
  // The next message; nullopt: the queue is empty.
  std::optional<v1::BeaconToEngine> Pop();

  bool is_full() const { return bytes_ > kMaxBytes; }
  size_t size() const;
  size_t bytes() const { return bytes_; }
  // Bytes of the answers that wait.
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
