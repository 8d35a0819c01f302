// Peers' requests for blocks, answered from what this beacon holds.
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
#include "beacon/network/engine/outbox.h"
#include "beacon/network/peers/peers.h"
#include "beacon/network/requests/asked_blocks.h"
#include "beacon/services/block_source.h"
#include "common/concurrency/worker_pool.h"
#include "lean/v1/network_engine.pb.h"

namespace lean::beacon {

// Every request is answered: OVERLOADED when too many are under way, or the engine is slow to take the answers. How
// many each peer may have is the engine's to bound. Thread-safe, except for Stop.
class BlockServer {
 public:
  static constexpr size_t kThreads = 2;
  static constexpr size_t kWaiting = 256;  // requests
  // Of the blocks of one answer, and of one message of it, unless it is a single block.
  static constexpr size_t kAnswerBytes = size_t{16} << 20;
  static constexpr size_t kMessageBytes = size_t{4} << 20;
  // Of answers that wait for the engine to read them.
  static constexpr size_t kQueuedBytes = size_t{48} << 20;

  // All of it outlives the server. `queued_bytes`: of the answers that were sent and wait.
  BlockServer(const BlockSource& source, const Peers& peers, SendToEngine send, std::function<size_t()> queued_bytes)
      : source_(source),
        peers_(peers),
        send_(std::move(send)),
        queued_bytes_(std::move(queued_bytes)),
        pool_(kThreads, kWaiting) {}

  // InvalidArgument: it is not of the contract.
  absl::Status OnRequest(const v1::BlockRequest& message);
  // Takes no more requests and ends the threads.
  void Stop() { pool_.Stop(); }

  // So far.
  uint64_t requests() const { return requests_; }

 private:
  void Serve(const Peer& peer, uint64_t id, const AskedBlocks& asked);
  std::vector<SignedBlockPtr> Find(const AskedBlocks& asked) const;
  void Send(const Peer& peer, uint64_t id, v1::BlockAnswer answer, v1::BlockAnswer::End end);
  void Refuse(const Peer& peer, uint64_t id, const std::string& why);

  const BlockSource& source_;
  const Peers& peers_;
  const SendToEngine send_;
  const std::function<size_t()> queued_bytes_;
  std::atomic<uint64_t> requests_ = 0;
  WorkerPool pool_;  // last: its threads use the rest
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_REQUESTS_BLOCK_SERVER_H_
