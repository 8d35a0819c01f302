// Peers' requests for blocks, answered from what this beacon holds.
#ifndef LEAN_BEACON_NETWORK_ENGINE_BLOCK_SERVER_H_
#define LEAN_BEACON_NETWORK_ENGINE_BLOCK_SERVER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>

#include "absl/strings/string_view.h"
#include "beacon/network/asked_blocks.h"
#include "beacon/network_engine/engine_peers.h"
#include "beacon/services/block_source.h"
#include "common/clock/clock.h"
#include "common/concurrency/worker_pool.h"
#include "lean/v1/network_engine.pb.h"

namespace lean::beacon {

struct BlockServerLimits {
  size_t threads = 2;
  size_t waiting = 256;  // requests
  size_t per_peer = 4;   // under way
  // Of the blocks of one answer, and of one message of it, unless it is a single block.
  size_t answer_bytes = size_t{16} << 20;
  size_t message_bytes = size_t{4} << 20;
  // Of answers that wait for the engine to read them.
  size_t queued_bytes = size_t{48} << 20;
};

// Every request is answered: OVERLOADED when its peer has too many under way, or all have. Thread-safe, except for
// Stop.
class BlockServer {
 public:
  struct Output {
    std::function<void(uint64_t stream, v1::BlockAnswer answer)> send;
    std::function<size_t()> queued_bytes;  // of what was sent
  };

  // All of it outlives the server.
  BlockServer(const BlockSource& source, EnginePeers& peers, const Clock& clock, Output output,
              const BlockServerLimits& limits)
      : source_(source),
        peers_(peers),
        clock_(clock),
        output_(std::move(output)),
        limits_(limits),
        pool_(limits.threads, limits.waiting) {}

  void OnRequest(const EnginePeerPtr& peer, uint64_t id, AskedBlocks asked);
  // Takes no more requests and ends the threads.
  void Stop() { pool_.Stop(); }

 private:
  // Goes through what is asked for, piece by piece.
  class Reader;

  void Serve(EnginePeer& peer, uint64_t id, const AskedBlocks& asked);
  void Send(const EnginePeer& peer, uint64_t id, v1::BlockAnswer answer, v1::BlockAnswer::End end);
  void Refuse(const EnginePeer& peer, uint64_t id, absl::string_view why);

  const BlockSource& source_;
  EnginePeers& peers_;
  const Clock& clock_;
  const Output output_;
  const BlockServerLimits limits_;
  WorkerPool pool_;  // last: its threads use the rest
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_ENGINE_BLOCK_SERVER_H_
