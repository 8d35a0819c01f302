// Blocks that this beacon asks of peers through the engine.
#ifndef LEAN_BEACON_NETWORK_REQUESTS_BLOCK_REQUESTS_H_
#define LEAN_BEACON_NETWORK_REQUESTS_BLOCK_REQUESTS_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "beacon/network/engine/outbox.h"
#include "beacon/network/peers/peer_blocks.h"
#include "beacon/network/peers/peers.h"
#include "beacon/network/requests/asked_blocks.h"
#include "common/clock/clock.h"
#include "common/concurrency/mutex.h"
#include "lean/v1/network_engine.pb.h"

namespace lean::beacon {

// An answer comes in several messages; its blocks are checked to be those that were asked for. The peer is blamed for
// what no honest one answers. Thread-safe.
class BlockRequests {
 public:
  using Done = PeerBlocks::Done;

  // Open at once, of all peers. Each may have one answer of the contract in memory.
  static constexpr size_t kMostOpen = 16;
  // The engine ends a request after 8 s. This is for an engine that does not.
  static constexpr std::chrono::seconds kPatience{12};

  BlockRequests(SendToEngine send, Peers& peers, const Clock& clock)
      : send_(std::move(send)), peers_(peers), clock_(clock) {}

  // `peer` and `done` as PeerBlocks has them.
  void Ask(uint64_t peer, AskedBlocks asked, Done done);

  // InvalidArgument: an answer to an id that was never given, or one of more bytes than the contract has.
  absl::Status OnAnswer(const v1::BlockAnswer& answer);
  // Its requests have failed.
  void OnGone(uint64_t peer);
  // All requests have failed; with `stopping`, so do those that begin later.
  void FailAll(const absl::Status& status, bool stopping);
  // Ends what the engine does not answer.
  void Tick(SteadyTime now);

  // So far.
  uint64_t requests() const;

 private:
  struct Request {
    PeerPtr peer;
    AskedBlocks asked;
    SteadyTime sent;
    Done done;
    std::vector<SignedBlockPtr> blocks = {};
    size_t bytes = 0;  // of their SSZ
  };
  using Requests = std::map<uint64_t, Request>;

  // Ends those that `ended` is true of.
  void FailIf(const std::function<bool(const Request&)>& ended, const absl::Status& status);
  Request TakeLocked(Requests::iterator request) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Finish(Request request, const absl::Status& status);

  const SendToEngine send_;
  Peers& peers_;
  const Clock& clock_;

  mutable Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t last_id_ ABSL_GUARDED_BY(mutex_) = 0;  // ids begin at 1
  Requests requests_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_REQUESTS_BLOCK_REQUESTS_H_
