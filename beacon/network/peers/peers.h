// The peers that the network engine has named: their claims, scores and counts.
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
#include "beacon/network/peers/peer_score.h"
#include "beacon/network/peers/peer_view.h"
#include "beacon/services/events/event_history.h"
#include "common/clock/clock.h"
#include "common/concurrency/mutex.h"
#include "common/log/line_limit.h"
#include "common/log/logger.h"
#include "common/metrics/footprint.h"
#include "lean/v1/beacon.pb.h"
#include "lean/v1/network_engine.pb.h"

namespace lean::beacon {

// A peer, which lives as long as anybody uses it. Thread-safe, except for what Peers guards.
struct Peer {
  Peer(uint64_t own_id, uint64_t its_stream, v1::PeerConnected message)
      : id(own_id), stream(its_stream), named(std::move(message)) {}

  const uint64_t id;                        // as in Origin::Peer; never reused in this process
  const uint64_t stream;                    // the stream to the engine on which its handle is valid
  const v1::PeerConnected named;            // as received; later claims are in `chain`
  std::atomic<bool> ending = false;         // the engine was told to disconnect it
  std::atomic<uint64_t> requests_open = 0;  // our requests to it

  // Guarded by the mutex of Peers, which the annotations cannot name here.
  ClaimedChain chain;
  bool serves_range = false;
  std::optional<SteadyTime> no_answer_at;  // time of its last offence of this kind
  int64_t since_ms = 0;                    // Unix milliseconds
  v1::PeerReport report;
};
using PeerPtr = std::shared_ptr<Peer>;

// Thread-safe. Only peers of the newest stream are returned.
class Peers {
 public:
  // Counts since the start, disconnected peers included.
  struct Counts {
    using Direction = bool;  // true: the engine dialled

    std::array<uint64_t, kOffences.size()> offences{};  // by Offence
    uint64_t bans = 0;
    std::map<Direction, uint64_t> connected = {{false, 0}, {true, 0}};
    std::map<std::pair<Direction, v1::PeerDisconnected::Cause>, uint64_t> disconnected;

    uint64_t Of(Offence offence) const { return offences[static_cast<size_t>(offence)]; }
  };

  // Whether a claimed chain contradicts ours. Called without a lock.
  using IsOtherChain = std::function<bool(const ClaimedChain&)>;

  // `events`: for those who watch; may be null.
  Peers(const Clock& clock, std::shared_ptr<spdlog::logger> log, SendToEngine send, IsOtherChain is_other_chain,
        EventHistory* events = nullptr)
      : clock_(clock),
        log_(std::move(log)),
        send_(std::move(send)),
        is_other_chain_(std::move(is_other_chain)),
        events_(events) {}

  // Starts a new stream. All peers of the stream before are gone.
  void Reset(uint64_t stream);

  // Messages of the engine. InvalidArgument: the message violates the contract, for example by a handle that does not
  // grow or was never named.
  absl::Status OnConnected(const v1::PeerConnected& message);
  absl::Status OnStatus(const v1::PeerStatusUpdate& message);
  // Returns the peer that has disconnected; null when it was gone before.
  absl::StatusOr<PeerPtr> OnDisconnected(const v1::PeerDisconnected& message);
  void OnReport(const v1::EngineReport& report);

  // Logs how many lines were left out. Call it regularly.
  void Tick(SteadyTime now) { log_limit_.LogLeftOut(now, *log_); }

  // Null: the peer has disconnected. InvalidArgument: the handle was never named.
  absl::StatusOr<PeerPtr> OfHandle(uint64_t handle) const;
  // By our own id. Null: the peer has disconnected, or is being disconnected.
  PeerPtr Find(uint64_t id) const;
  size_t size() const;

  // Lowers the peer's score, and bans the peer when the score is too low. Does nothing when it has disconnected.
  void Blame(uint64_t id, Offence offence, const std::string& why);
  // Blames the peer for a request of time `asked` without an answer. Requests that were open at the same time count
  // once.
  void BlameNoAnswer(uint64_t id, SteadyTime asked);
  // Disconnects peers whose claims contradict our chain, after our chain has changed.
  void EndOtherChains();
  // Records that the peer does not serve requests by range.
  void ServesNoRange(uint64_t id);

  std::vector<PeerInfo> Infos() const;
  v1::GetPeersResponse Views() const;
  Counts counts() const;
  // Of the connected peers, and of the scores, which outlive them.
  metrics::FootprintList caches() const;

 private:
  absl::Status CheckHandleLocked(uint64_t handle) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Null: the peer has disconnected.
  PeerPtr FindLocked(uint64_t handle) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  PeerPtr FindByIdLocked(uint64_t id) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Peers that are not being disconnected.
  std::vector<PeerPtr> StayingLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void EndIfOnOtherChain(const PeerPtr& peer);
  // Disconnects the peer and bans it for this long.
  void End(const PeerPtr& peer, std::chrono::seconds ban, const std::string& why) {
    if (!peer->ending.exchange(true)) TellToEnd(*peer, ban, why);
  }
  // Tells those who watch that the peer has connected, or why it has disconnected.
  void TellWatchers(const Peer& peer, bool connected, std::string reason) const;
  void TellToEnd(const Peer& peer, std::chrono::seconds ban, const std::string& why);

  const Clock& clock_;
  const std::shared_ptr<spdlog::logger> log_;
  const SendToEngine send_;
  const IsOtherChain is_other_chain_;
  EventHistory* const events_;
  LineLimit log_limit_;

  mutable Mutex mutex_;
  uint64_t stream_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t last_handle_ ABSL_GUARDED_BY(mutex_) = 0;  // on this stream
  uint64_t last_id_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<uint64_t, PeerPtr> peers_ ABSL_GUARDED_BY(mutex_);  // by handle
  std::vector<v1::TargetReport> targets_ ABSL_GUARDED_BY(mutex_);
  PeerScores scores_ ABSL_GUARDED_BY(mutex_);
  Counts counts_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_PEERS_PEERS_H_
