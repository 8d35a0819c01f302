// The peers that the network engine has named: what they claim, and what is held against them.
#ifndef LEAN_BEACON_NETWORK_PEERS_PEERS_H_
#define LEAN_BEACON_NETWORK_PEERS_PEERS_H_

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "beacon/network/engine/contract.h"
#include "beacon/network/engine/outbox.h"
#include "beacon/network/peers/peer_blocks.h"
#include "beacon/network/peers/peer_score.h"
#include "common/clock/clock.h"
#include "common/concurrency/mutex.h"
#include "common/log/line_limit.h"
#include "common/log/logger.h"
#include "lean/v1/beacon.pb.h"
#include "lean/v1/network_engine.pb.h"

namespace lean::beacon {

// One of them, as long as anybody works with it. Thread-safe, but for what Peers guards.
struct Peer {
  Peer(uint64_t own_id, uint64_t its_stream, v1::PeerConnected message)
      : id(own_id), stream(its_stream), named(std::move(message)) {}

  const uint64_t id;                        // that of Origin::Peer; never used again in this process
  const uint64_t stream;                    // to the engine, on which its handle means something
  const v1::PeerConnected named;            // as it came; what it claims has moved on since
  std::atomic<bool> ending = false;         // the engine was told that it has to go
  std::atomic<uint64_t> requests_open = 0;  // of ours

  // Guarded by the mutex of Peers, which the annotations cannot name here.
  ClaimedChain chain;
  bool serves_range = false;
  std::optional<SteadyTime> no_answer_at;  // when that was held against it last
  int64_t since_ms = 0;                    // Unix milliseconds
  v1::PeerReport report;
};
using PeerPtr = std::shared_ptr<Peer>;

// Thread-safe. Whoever asks gets peers of the newest stream alone.
class Peers {
 public:
  // Since the start, of those that have gone, too.
  struct Counts {
    using Direction = bool;  // of a connection; true: dialled by the engine

    std::array<uint64_t, kOffences.size()> offences{};  // by Offence
    uint64_t bans = 0;
    std::map<Direction, uint64_t> connected = {{false, 0}, {true, 0}};
    std::map<std::pair<Direction, v1::PeerDisconnected::Cause>, uint64_t> disconnected;

    uint64_t Of(Offence offence) const { return offences[static_cast<size_t>(offence)]; }
  };

  // Whether this chain and ours cannot be one. Called under no lock.
  using IsOtherChain = std::function<bool(const ClaimedChain&)>;

  Peers(const Clock& clock, std::shared_ptr<spdlog::logger> log, SendToEngine send, IsOtherChain is_other_chain)
      : clock_(clock), log_(std::move(log)), send_(std::move(send)), is_other_chain_(std::move(is_other_chain)) {}

  // A new stream; who was named on the one before is gone.
  void Reset(uint64_t stream);

  // What the engine says. InvalidArgument: it is not of the contract, as is a handle that does not grow, or that was
  // never named.
  absl::Status OnConnected(const v1::PeerConnected& message);
  absl::Status OnStatus(const v1::PeerStatusUpdate& message);
  // The peer that has gone; null when it was gone before.
  absl::StatusOr<PeerPtr> OnDisconnected(const v1::PeerDisconnected& message);
  void OnReport(const v1::EngineReport& report);

  // Tells of lines that were left out of the log. To be called now and then.
  void Tick(SteadyTime now) { log_limit_.LogLeftOut(now, *log_); }

  // Null: it is gone. InvalidArgument: it was never named.
  absl::StatusOr<PeerPtr> OfHandle(uint64_t handle) const;
  // By our own id; null: it is gone, or has to go.
  PeerPtr Find(uint64_t id) const;
  size_t size() const;

  // Lowers the peer's score, and ends it when that falls too far. Without effect when it is gone.
  void Blame(uint64_t id, Offence offence, const std::string& why);
  // No answer came in time to what was asked at this moment. Requests that were open at the same time are one offence.
  void BlameNoAnswer(uint64_t id, SteadyTime asked);
  // Our chain has moved on: ends peers that turn out to be on another one.
  void EndOtherChains();
  // It does not answer requests by range, whatever it said before.
  void ServesNoRange(uint64_t id);

  std::vector<PeerInfo> Infos() const;
  v1::GetPeersResponse Views() const;
  Counts counts() const;

 private:
  absl::Status CheckHandleLocked(uint64_t handle) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Null: it is gone.
  PeerPtr FindLocked(uint64_t handle) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  PeerPtr FindByIdLocked(uint64_t id) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Those that do not have to go.
  std::vector<PeerPtr> StayingLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void EndIfOnOtherChain(const PeerPtr& peer);
  // It has to go, and is not let in again for so long.
  void End(const PeerPtr& peer, std::chrono::seconds ban, const std::string& why) {
    if (!peer->ending.exchange(true)) TellToEnd(*peer, ban, why);
  }
  void TellToEnd(const Peer& peer, std::chrono::seconds ban, const std::string& why);

  const Clock& clock_;
  const std::shared_ptr<spdlog::logger> log_;
  const SendToEngine send_;
  const IsOtherChain is_other_chain_;
  LineLimit log_limit_;

  mutable Mutex mutex_;
  uint64_t stream_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t last_handle_ ABSL_GUARDED_BY(mutex_) = 0;  // of the stream
  uint64_t last_id_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<uint64_t, PeerPtr> peers_ ABSL_GUARDED_BY(mutex_);  // by handle
  std::vector<v1::TargetReport> targets_ ABSL_GUARDED_BY(mutex_);
  PeerScores scores_ ABSL_GUARDED_BY(mutex_);
  Counts counts_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_PEERS_PEERS_H_
