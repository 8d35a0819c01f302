// The peers that the network engine has named: what they claim, and what is held against them.
#ifndef LEAN_BEACON_NETWORK_ENGINE_ENGINE_PEERS_H_
#define LEAN_BEACON_NETWORK_ENGINE_ENGINE_PEERS_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "beacon/network/peer_blocks.h"
#include "beacon/network/peer_list.h"
#include "beacon/network/peer_score.h"
#include "beacon/network/rate_limits.h"
#include "beacon/network_engine/engine_codec.h"
#include "common/clock/clock.h"
#include "common/log/line_limit.h"
#include "common/log/logger.h"
#include "lean/v1/network_engine.pb.h"

namespace lean::beacon {

// One of them, as long as anybody works with it. Thread-safe.
struct EnginePeer {
  EnginePeer(uint64_t own_id, uint64_t its_stream, const NamedPeer& peer, const RateLimits& limits, SteadyTime now,
             int64_t wall_ms)
      : id(own_id), stream(its_stream), named(peer), since_ms(wall_ms), rates(limits, now) {}

  const uint64_t id;      // that of Origin::Peer; never used again in this process
  const uint64_t stream;  // to the engine, on which its handle means something
  const NamedPeer named;  // as it came; what it claims has moved on since
  const int64_t since_ms;
  PeerRates rates;
  std::atomic<bool> ending = false;  // the engine was told that it has to go
  std::atomic<uint64_t> blocks_in = 0;
  std::atomic<uint64_t> votes_in = 0;
  std::atomic<uint64_t> requests_in = 0;
  std::atomic<uint64_t> requests_out = 0;
  std::atomic<uint64_t> requests_open = 0;    // of ours
  std::atomic<size_t> answers_under_way = 0;  // to its requests
};
using EnginePeerPtr = std::shared_ptr<EnginePeer>;

// Thread-safe. Whoever asks gets peers of the newest stream alone.
class EnginePeers {
 public:
  // Called outside the lock: the peer has to go, and is not let in again for so long.
  using EndPeer = std::function<void(const EnginePeer& peer, std::chrono::seconds ban, const std::string& why)>;

  EnginePeers(const RateLimits& rates, const Clock& clock, std::shared_ptr<spdlog::logger> log, EndPeer end_peer)
      : rates_(rates), clock_(clock), log_(std::move(log)), end_peer_(std::move(end_peer)) {}

  // A new stream; who was named on the one before is gone.
  void Reset(uint64_t stream);

  // What the engine says. InvalidArgument: a handle that does not grow, or that was never named.
  absl::Status Add(const NamedPeer& named);
  absl::Status Update(uint64_t handle, const ClaimedChain& chain);
  // The peer that has gone; null when it was gone before.
  absl::StatusOr<EnginePeerPtr> Remove(uint64_t handle, absl::string_view reason);
  void Report(const v1::EngineReport& report);

  // Null: it is gone. InvalidArgument: it was never named.
  absl::StatusOr<EnginePeerPtr> OfHandle(uint64_t handle) const;
  // By our own id; null: it is gone.
  EnginePeerPtr Find(uint64_t id) const;
  size_t size() const;

  // Lowers the peer's score, and ends it when that falls too far. Without effect when it is gone.
  void Blame(uint64_t id, Offence offence, const std::string& why);
  // No answer came in time to what was asked at this moment. Requests that were open at the same time are one offence.
  void BlameNoAnswer(uint64_t id, SteadyTime asked);
  // Ends peers whose chain is another one, as `is_other` says of what they claim: all, or only the one with this
  // handle.
  void EndOtherChains(const std::function<bool(const ClaimedChain&)>& is_other,
                      std::optional<uint64_t> handle = std::nullopt);
  // It does not answer requests by range, whatever it said before.
  void ServesNoRange(uint64_t id);

  std::vector<PeerInfo> Infos() const;
  // The peers, then the static ones that are not connected.
  std::vector<PeerState> States() const;
  // Of those that have gone, too; bytes are the engine's to count.
  Traffic traffic() const;
  uint64_t offences(Offence offence) const { return offences_.Of(offence); }
  uint64_t bans() const;

 private:
  struct Entry {
    EnginePeerPtr peer;
    ClaimedChain chain;
    bool serves_range = false;
    PeerScore score;
    std::optional<SteadyTime> no_answer_at;  // when that was held against it last
    v1::PeerReport report;
  };

  absl::Status CheckHandleLocked(uint64_t handle) const;
  Entry* EntryLocked(uint64_t handle);
  const Entry* FindLocked(uint64_t id) const;
  Entry* FindLocked(uint64_t id);
  // What is left of it stays known.
  void ForgetLocked(const Entry& entry, SteadyTime now);
  void End(EnginePeer& peer, std::chrono::seconds ban, const std::string& why);
  void TellToEnd(const EnginePeer& peer, std::chrono::seconds ban, const std::string& why);

  const RateLimits rates_;
  const Clock& clock_;
  const std::shared_ptr<spdlog::logger> log_;
  const EndPeer end_peer_;
  OffenceCounts offences_;
  LineLimit log_limit_;

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  uint64_t stream_ = 0;
  uint64_t last_handle_ = 0;  // of the stream
  uint64_t last_id_ = 0;
  std::map<uint64_t, Entry> entries_;  // by handle
  Reputation reputation_;              // by peer id, as is the next
  BanList bans_list_;
  uint64_t bans_ = 0;
  std::vector<v1::TargetReport> targets_;
  Traffic gone_;  // of peers that have gone
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_ENGINE_ENGINE_PEERS_H_
