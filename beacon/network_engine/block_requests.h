// Blocks that this beacon asks of peers through the engine.
#ifndef LEAN_BEACON_NETWORK_ENGINE_BLOCK_REQUESTS_H_
#define LEAN_BEACON_NETWORK_ENGINE_BLOCK_REQUESTS_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <vector>

#include "absl/status/status.h"
#include "beacon/network/asked_blocks.h"
#include "beacon/network/peer_blocks.h"
#include "beacon/network_engine/engine_peers.h"
#include "common/clock/clock.h"
#include "lean/v1/network_engine.pb.h"

namespace lean::beacon {

struct BlockRequestsLimits {
  size_t open_per_peer = 8;
  size_t open = 256;
  // Of one answer's blocks: further ones are left out. The largest block fits in addition.
  size_t answer_bytes = size_t{16} << 20;
  // Of the blocks of all answers that are not complete: the request that goes beyond fails.
  size_t held_bytes = size_t{256} << 20;
  // The engine ends a request after 8 s. This is for an engine that does not.
  std::chrono::milliseconds patience{12'000};
};

// An answer comes in several messages; its blocks are checked to be those that were asked for. The peer is blamed for
// what no honest one answers. Thread-safe.
class BlockRequests {
 public:
  using Send = std::function<void(uint64_t stream, v1::BlockRequest request)>;
  using Done = PeerBlocks::Done;

  BlockRequests(Send send, EnginePeers& peers, const Clock& clock, const BlockRequestsLimits& limits)
      : send_(std::move(send)), peers_(peers), clock_(clock), limits_(limits) {}

  // `done` as PeerBlocks has it.
  void Ask(const EnginePeerPtr& peer, AskedBlocks asked, Done done);

  // InvalidArgument: an answer to an id that was never given.
  absl::Status OnAnswer(const v1::BlockAnswer& answer);
  // Its requests have failed.
  void OnGone(uint64_t peer);
  // All requests have failed; with `stopping`, so do those that begin later.
  void FailAll(const absl::Status& status, bool stopping);
  // Ends what the engine does not answer.
  void Tick(SteadyTime now);

  size_t open() const;

 private:
  struct Request {
    EnginePeerPtr peer;
    AskedBlocks asked;
    SteadyTime sent;
    Done done;
    std::vector<SignedBlockPtr> blocks;
    size_t bytes = 0;
    bool full = false;  // what still comes is left out
  };
  using Requests = std::map<uint64_t, Request>;

  // Takes an answer's blocks in. DataLoss: they are none. ResourceExhausted: there is no room for them.
  absl::Status CollectLocked(const v1::BlockAnswer& answer, Request* request);
  Request TakeLocked(Requests::iterator request);
  void Finish(Request request, const absl::Status& status);
  // What the end of an answer means to who asked.
  static absl::Status StatusOf(const v1::BlockAnswer& answer);

  const Send send_;
  EnginePeers& peers_;
  const Clock& clock_;
  const BlockRequestsLimits limits_;

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  bool stopping_ = false;
  uint64_t last_id_ = 0;
  Requests requests_;
  size_t held_bytes_ = 0;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_ENGINE_BLOCK_REQUESTS_H_
