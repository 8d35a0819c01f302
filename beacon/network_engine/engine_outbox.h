// What waits to be sent to the network engine.
#ifndef LEAN_BEACON_NETWORK_ENGINE_ENGINE_OUTBOX_H_
#define LEAN_BEACON_NETWORK_ENGINE_ENGINE_OUTBOX_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "lean/v1/network_engine.pb.h"

namespace lean::beacon {

// Verdicts, and votes, leave many in one message; of statuses the last one alone. What is short goes first: requests
// and peers that have to go, the status, verdicts; then own blocks, own votes, and answers last. Thread compatible.
class EngineOutbox {
 public:
  // Of all that waits. An engine that lets more pile up does not read.
  static constexpr size_t kMaxBytes = size_t{96} << 20;
  static constexpr size_t kMaxVotesInMessage = 256;
  static constexpr size_t kMaxVerdictsInMessage = 4096;

  void AddRequest(v1::BlockRequest request);
  void AddEndPeer(v1::EndPeer end_peer);
  void SetStatus(v1::ChainStatus status);
  void AddVerdict(uint64_t id, v1::Verdict::Outcome outcome);
  // SSZ each.
  void AddBlock(std::string block);
  void AddVote(std::string vote);
  void AddAnswer(v1::BlockAnswer answer);

  // The next message; nullopt: nothing waits.
  std::optional<v1::BeaconToEngine> Pop();

  bool is_full() const { return bytes_ > kMaxBytes; }
  // Of the answers that wait.
  size_t answer_bytes() const { return answer_bytes_; }

 private:
  std::deque<v1::BeaconToEngine> control_;
  std::optional<v1::ChainStatus> status_;
  v1::Verdicts verdicts_;
  std::deque<std::string> blocks_;
  std::deque<std::string> votes_;
  std::deque<v1::BlockAnswer> answers_;
  size_t bytes_ = 0;
  size_t answer_bytes_ = 0;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_ENGINE_ENGINE_OUTBOX_H_
