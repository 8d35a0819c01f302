// One link to another beacon, whoever dialled: handshake, gossip in both directions, and its end.
#ifndef LEAN_BEACON_NETWORK_LINK_H_
#define LEAN_BEACON_NETWORK_LINK_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "beacon/network/answer_streams.h"
#include "beacon/network/gossip.h"
#include "beacon/network/handshake.h"
#include "beacon/network/peer_list.h"
#include "beacon/network/peer_score.h"
#include "beacon/network/streams.h"
#include "common/clock/clock.h"
#include "common/log/logger.h"
#include "lean/v1/peer.pb.h"

namespace lean::beacon {

class Link;
using LinkPtr = std::shared_ptr<Link>;

// Who keeps the links. Called from any thread, not under a link's lock.
class LinkOwner {
 public:
  virtual ~LinkOwner() = default;

  // The handshake fits. OK: the link stands now. Otherwise it ends with this reason.
  virtual std::optional<Goodbye> Admit(const LinkPtr& link) = 0;
  // It has fallen too low and is ending. For how long it will not be linked to, as text.
  virtual std::string Ban(const LinkPtr& link) = 0;
  // The last call; the link has said why in its `end()`.
  virtual void OnEnded(const LinkPtr& link) = 0;
};

// What links share. All of it outlives them.
struct LinkContext {
  LinkOwner& owner;
  Gossip& gossip;
  const Identity& own;
  const Clock& clock;
  OffenceCounts& offences;
  std::function<PeerChain()> chain;  // ours now
  RateLimits rates;
  SendQueue::Limits queue;
  size_t known_items = 0;  // remembered of what a peer has
  std::shared_ptr<spdlog::logger> log;
};

// How a link ended.
struct LinkEnd {
  bool by_us = false;
  Goodbye goodbye;  // REASON_UNSPECIFIED: the stream broke, see the message
};

// Thread-safe. Lives as long as its stream at least.
class Link final : public GossipPeer, public StreamHandler, public std::enable_shared_from_this<Link> {
 public:
  // Signatures under way from one peer, above which it is not read from.
  static constexpr size_t kMaxWork = 512;

  // `session` names the link to a dialler; zero when we dial.
  Link(const LinkContext& context, uint64_t id, bool outbound, std::string address, const SessionId& session);

  // Takes the stream over and begins: the dialler speaks first.
  void Start(Stream* stream);

  uint64_t id() const override { return id_; }
  bool outbound() const { return outbound_; }
  const std::string& address() const { return address_; }
  const SessionId& session() const { return session_; }
  // Set before Admit.
  PeerIdentity peer() const;
  // Admitted and not ending.
  bool open() const;
  std::optional<LinkEnd> end() const;
  double score() const;
  // What the peer is known for from earlier links.
  void LowerScoreTo(double score);
  // Was open, and ended by a peer that dialled us and did not say why.
  bool broke_off() const;
  Traffic traffic() const;
  int64_t opened_ms() const { return opened_ms_.load(std::memory_order_relaxed); }

  PeerRates& rates() override { return rates_; }
  SeenItems& known() override { return known_; }
  void Report(Offence offence, std::string why) override;
  void ReportNoAnswer(SteadyTime asked) override;
  void Send(const OutgoingItem& block) override;
  void Send(const std::vector<OutgoingItem>& votes) override;
  void BeginWork(size_t signatures) override;
  void EndWork(size_t signatures) override;

  // Our chain has moved on.
  void SendChain(const PeerChain& chain);
  // Says goodbye and ends the link. The first reason counts.
  void End(Goodbye goodbye);
  // Breaks the link off without a word.
  void Cancel();
  // Ends what has taken too long.
  void Tick(SteadyTime now);

  // What asks this peer for blocks; null until there is one.
  void SetAsker(std::shared_ptr<BlockAsker> asker);
  std::shared_ptr<BlockAsker> asker() const;
  // Of a link that broke off: it stays until then, so that it can be seen whether the connection stands.
  void CloseAsker();
  void CountRequestIn() { requests_in_.fetch_add(1, std::memory_order_relaxed); }
  void CountRequestOut() { requests_out_.fetch_add(1, std::memory_order_relaxed); }

  void OnRead(bool ok, const grpc::ByteBuffer& message) override;
  void OnWritten(bool ok) override;
  void OnClosed(const grpc::Status& status) override;

 private:
  enum class State { kHandshake, kOpen, kEnding, kClosed };

  // Votes that were dropped from the queue, once a minute.
  void LogUnsentLocked(SteadyTime now);
  void OnStatus(const v1::GossipMessage& message);
  void OnMessage(const v1::GossipMessage& message);
  void OnGoodbye(const v1::PeerGoodbye& goodbye);
  void ReadOnIfIdle();
  void EndLocked(bool by_us, Goodbye goodbye);
  bool BrokeOffLocked() const;
  void QueueLocked(v1::GossipMessage message);
  // Sends the next message when none is under way.
  void PumpLocked();
  std::optional<v1::GossipMessage> NextLocked();

  const LinkContext context_;
  const uint64_t id_;
  const bool outbound_;
  const std::string address_;
  const SessionId session_;
  PeerRates rates_;
  SeenItems known_;
  std::atomic<size_t> work_ = 0;
  std::atomic<int64_t> opened_ms_ = 0;
  std::atomic<uint64_t> bytes_in_ = 0;
  std::atomic<uint64_t> bytes_out_ = 0;
  std::atomic<uint64_t> blocks_in_ = 0;
  std::atomic<uint64_t> blocks_out_ = 0;
  std::atomic<uint64_t> votes_in_ = 0;
  std::atomic<uint64_t> votes_out_ = 0;
  std::atomic<uint64_t> requests_in_ = 0;
  std::atomic<uint64_t> requests_out_ = 0;
  std::atomic<uint64_t> dropped_out_ = 0;

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  Stream* stream_ = nullptr;  // null before Start and once it is closed
  State state_ = State::kHandshake;
  SteadyTime since_;  // of state_
  bool writing_ = false;
  SteadyTime writing_since_;
  bool paused_ = false;  // not reading, since much work is under way
  std::deque<v1::GossipMessage> control_;
  std::optional<PeerChain> chain_to_send_;
  SendQueue queue_;
  uint64_t logged_unsent_ = 0;  // of dropped_out_
  SteadyTime logged_unsent_at_;
  PeerIdentity peer_;
  PeerScore score_;
  bool banned_ = false;
  std::optional<SteadyTime> no_answer_at_;  // when that was reported last
  std::optional<LinkEnd> end_;
  std::shared_ptr<BlockAsker> asker_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_LINK_H_
