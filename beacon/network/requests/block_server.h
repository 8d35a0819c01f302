// Answers peers' requests for blocks.
#ifndef LEAN_BEACON_NETWORK_REQUESTS_BLOCK_SERVER_H_
#define LEAN_BEACON_NETWORK_REQUESTS_BLOCK_SERVER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "beacon/network/engine/contract.h"
#include "beacon/network/engine/outbox.h"
#include "beacon/network/peers/peers.h"
#include "beacon/services/block_source.h"
#include "common/concurrency/worker_pool.h"
#include "common/metrics/footprint.h"
#include "lean/v1/network_engine.pb.h"

namespace lean::beacon {

// Answers every request; with OVERLOADED when too many requests wait, or when the engine is slow to read answers. The
// engine bounds the requests of each peer. Thread-safe, except for Stop.
class BlockServer {
 public:
  static constexpr size_t kThreads = 2;
  static constexpr size_t kWaiting = 256;  // requests
  // Bytes of the blocks of one answer and of one message. A single block may be larger.
  static constexpr size_t kAnswerBytes = size_t{16} << 20;
  static constexpr size_t kMessageBytes = size_t{4} << 20;
  // Bytes of answers that wait for the engine to read them.
  static constexpr size_t kQueuedBytes = size_t{48} << 20;

  // All arguments outlive the server. `queued_bytes` returns the bytes of the answers that wait.
  // Without threads, the owner calls RunOne.
  BlockServer(const BlockSource& source, const Peers& peers, SendToEngine send, std::function<size_t()> queued_bytes,
              size_t threads = kThreads)
      : source_(source),
        peers_(peers),
        send_(std::move(send)),
        queued_bytes_(std::move(queued_bytes)),
        pool_(threads, kWaiting) {}

  // InvalidArgument: the request violates the contract.
  absl::Status OnRequest(const v1::BlockRequest& message);
  // Serves the next request on this thread. False: none waits.
  bool RunOne() { return pool_.RunOne(); }
  // Ends the threads; later requests are refused.
  void Stop() { pool_.Stop(); }

  // The number of requests so far.
  uint64_t requests() const { return requests_; }
  // Of the requests that wait for a thread.
  metrics::Footprint queue() const {
    return {.name = "peer_requests", .items = pool_.queued(), .bytes = waiting_bytes_};
  }

 private:
  static constexpr size_t kTaskBytes = 256;  // without the roots

  void Serve(const Peer& peer, uint64_t id, const AskedBlocks& asked);
  std::vector<SignedBlockPtr> Find(const AskedBlocks& asked) const;
  void Send(const Peer& peer, uint64_t id, v1::BlockAnswer answer, v1::BlockAnswer::End end);
  void Refuse(const Peer& peer, uint64_t id, const std::string& why);

  const BlockSource& source_;
  const Peers& peers_;
  const SendToEngine send_;
  const std::function<size_t()> queued_bytes_;
  std::atomic<uint64_t> requests_ = 0;
  std::atomic<size_t> waiting_bytes_ = 0;  // of the requests that wait for a thread
  WorkerPool pool_;                        // last: its threads use the rest
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_REQUESTS_BLOCK_SERVER_H_
