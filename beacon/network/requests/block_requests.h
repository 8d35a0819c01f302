// Our requests for blocks to peers, through the engine.
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
#include "beacon/network/engine/contract.h"
#include "beacon/network/engine/outbox.h"
#include "beacon/network/peers/peer_view.h"
#include "beacon/network/peers/peers.h"
#include "common/clock/clock.h"
#include "common/concurrency/mutex.h"
#include "common/metrics/footprint.h"
#include "lean/v1/network_engine.pb.h"

namespace lean::beacon {

// Collects the messages of an answer and checks that it holds requested blocks only. Blames the peer for a wrong
// answer. Thread-safe.
class BlockRequests {
 public:
  using Done = PeerBlocks::Done;

  // Open requests to all peers. Each may have an answer of kMaxAnswerBytes in memory.
  static constexpr size_t kMostOpen = 16;
  // The engine ends a request after 8 s. This bound is for an engine that does not.
  static constexpr std::chrono::seconds kPatience{12};

  BlockRequests(SendToEngine send, Peers& peers, const Clock& clock)
      : send_(std::move(send)), peers_(peers), clock_(clock) {}

  // `peer` and `done` as in PeerBlocks.
  void Ask(uint64_t peer, AskedBlocks asked, Done done);

  // InvalidArgument: an answer to an unknown id, or one larger than the contract allows.
  absl::Status OnAnswer(const v1::BlockAnswer& answer);
  // The peer has disconnected: fails its requests.
  void OnGone(uint64_t peer);
  // Fails all requests; with `stopping`, also later ones.
  void FailAll(const absl::Status& status, bool stopping);
  // Fails requests that the engine does not answer.
  void Tick(SteadyTime now);

  // Of the open requests and what has come of their answers.
  metrics::Footprint queue() const;
  // The number of requests so far.
  uint64_t requests() const;

 private:
  struct Request {
    PeerPtr peer;
    AskedBlocks asked;
    SteadyTime sent;
    Done done;
    std::vector<SignedBlockPtr> blocks = {};
    size_t bytes = 0;  // of the blocks' SSZ
  };
  using Requests = std::map<uint64_t, Request>;

  // Fails the requests for which `ended` returns true.
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
