// A beacon's network: peers by way of a network engine, a process of its own (proto/lean/v1/network_engine.proto).
#ifndef LEAN_BEACON_NETWORK_NETWORK_H_
#define LEAN_BEACON_NETWORK_NETWORK_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "beacon/network/engine/engine_stream.h"
#include "beacon/network/gossip/gossip.h"
#include "beacon/network/peers/peer_blocks.h"
#include "beacon/network/peers/peer_list.h"
#include "beacon/network/peers/peers.h"
#include "beacon/network/requests/block_requests.h"
#include "beacon/network/requests/block_server.h"
#include "beacon/services/block_source.h"
#include "beacon/services/chain_service.h"
#include "beacon/services/outbound.h"
#include "common/clock/clock.h"
#include "common/concurrency/mutex.h"
#include "common/log/logger.h"
#include "lean/v1/network_engine.pb.h"

namespace lean::beacon {

// What a network works with; all of it outlives it. Callbacks of `chain` may still come until that is stopped, so it
// is stopped first.
struct NetworkContext {
  ChainService& chain;
  const BlockSource& blocks;
  OutboundChannel& outbound;
  Clock& clock;
  std::chrono::milliseconds slot;
  size_t validators;
  std::shared_ptr<spdlog::logger> log;
  std::function<void(const v1::GossipItems&)> on_items = nullptr;  // told of all that comes in; null: no one
};

// Since the start.
struct NetworkCounts {
  Gossip::Counts in;
  lean::beacon::Peers::Counts peers;
  uint64_t blocks_out = 0;  // that our own validators made
  uint64_t votes_out = 0;
  uint64_t requests_in = 0;  // for blocks
  uint64_t requests_out = 0;
  v1::EngineCounts engines = {};  // of all that were attached: bytes, and connections that did not come about
  bool engine_connected = false;
  uint64_t engine_lost = 0;  // how often
};

// Runs from its construction until Stop. Goes on without an engine, and with the next one when it comes. Thread-safe,
// except for Stop. Threads of its own: the stream's two, one for what the chain accepted, one that watches the time,
// and a small pool that reads blocks for peers.
class Network final : public PeerBlocks, public PeerList, private EngineStreamOwner {
 public:
  // `engine`: an address that EngineStream::CheckAddress finds good; empty: there is no network, and nobody to talk to.
  Network(const std::string& engine, const NetworkContext& context);
  // As Stop().
  ~Network() override;
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  // Closes the outbound channel, and ends the stream and the threads. May be called again.
  void Stop();

  NetworkCounts counts() const;
  // Why nothing can be sent or heard at the moment, for people; empty: all is well.
  std::string trouble() const { return stream_.trouble(); }
  // Tells whether an engine is attached, now and at each change; it must not call back. Null: no one.
  void WatchEngine(std::function<void(bool attached)> watcher) { stream_.Watch(std::move(watcher)); }

  std::vector<PeerInfo> Peers() const override { return peers_.Infos(); }
  void BlocksByRoot(uint64_t peer, std::vector<Root> roots, Done done) override;
  void BlocksByRange(uint64_t peer, uint64_t first_slot, uint64_t count, Done done) override;
  void Report(uint64_t peer, Offence offence, std::string why) override { peers_.Blame(peer, offence, why); }

  v1::GetPeersResponse PeerViews() const override { return peers_.Views(); }
  size_t peer_count() const override { return peers_.size(); }
  v1::NetworkView View() const override;

 private:
  v1::BeaconHello Hello() override;
  void OnAttached(uint64_t stream) override;
  absl::Status OnMessage(uint64_t stream, const v1::EngineToBeacon& message) override;
  void OnDetached(uint64_t stream) override;

  void RunOutbound();
  void RunTicks(const std::stop_token& stop);
  // Tells the engine how far our chain is, and ends peers that turn out to be on another one.
  void RefreshChain();
  ClaimedChain OwnChain() const;
  bool IsOtherChain(const ClaimedChain& claimed) const;
  void Publish(uint64_t stream, const OutboundItem& item);
  // What was made of late, for those who were not there.
  void PublishAgain(uint64_t stream);
  void DropOldLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const NetworkContext context_;
  const SendToEngine send_ = [this](uint64_t stream, v1::BeaconToEngine message) {
    stream_.Send(stream, std::move(message));
  };
  lean::beacon::Peers peers_;
  Gossip gossip_;
  BlockRequests requests_;
  BlockServer server_;

  mutable Mutex mutex_;
  std::deque<std::pair<SteadyTime, OutboundItem>> own_items_ ABSL_GUARDED_BY(mutex_);  // of late
  uint64_t published_again_ ABSL_GUARDED_BY(mutex_) = 0;                               // on this stream
  std::optional<ClaimedChain> told_ ABSL_GUARDED_BY(mutex_);  // of our chain, to the engine that is attached
  v1::EngineCounts counts_ ABSL_GUARDED_BY(mutex_);           // of the engine that is attached
  v1::EngineCounts earlier_counts_ ABSL_GUARDED_BY(mutex_);   // of those before it
  uint64_t blocks_out_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t votes_out_ ABSL_GUARDED_BY(mutex_) = 0;

  EngineStream stream_;  // calls the parts above
  std::thread outbound_thread_;
  std::jthread tick_thread_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_NETWORK_H_
