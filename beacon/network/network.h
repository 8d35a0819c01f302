// The beacon's network: its peers, through the network engine, which is a separate process
// (proto/lean/v1/network_engine.proto).
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
#include "beacon/network/engine/engine_link.h"
#include "beacon/network/engine/engine_transport.h"
#include "beacon/network/engine/item_codec.h"
#include "beacon/network/gossip/gossip.h"
#include "beacon/network/peers/peer_list.h"
#include "beacon/network/peers/peer_view.h"
#include "beacon/network/peers/peers.h"
#include "beacon/network/requests/block_requests.h"
#include "beacon/network/requests/block_server.h"
#include "beacon/services/block_source.h"
#include "beacon/services/chain_observer.h"
#include "beacon/services/chain_service.h"
#include "common/clock/clock.h"
#include "common/concurrency/mutex.h"
#include "common/log/logger.h"
#include "common/metrics/footprint.h"
#include "lean/v1/network_engine.pb.h"

namespace lean::beacon {

// What the network works with. All of it outlives the network. `chain` calls back until it is stopped, so it is stopped
// before the network is destroyed.
struct NetworkContext {
  ChainService& chain;
  const BlockSource& blocks;
  OutboundChannel& outbound;
  Clock& clock;
  std::chrono::milliseconds slot;
  size_t validators;
  std::shared_ptr<spdlog::logger> log;
  std::function<void(const v1::GossipItems&)> on_items = nullptr;  // called with all received items; may be null
  EventHistory* events = nullptr;                                  // for those who watch the peers; may be null
  ItemCodec items = {};                                            // of gossip
};

// Counts since the start.
struct NetworkCounts {
  Gossip::Counts in;
  lean::beacon::Peers::Counts peers;
  uint64_t blocks_out = 0;  // of our own validators
  uint64_t votes_out = 0;
  uint64_t requests_in = 0;  // for blocks
  uint64_t requests_out = 0;
  v1::EngineCounts engines = {};  // sums over all engines that were attached
  bool engine_connected = false;
  uint64_t engine_lost = 0;  // number of attached streams that have ended
};

// Runs from construction until Stop. Keeps running without an engine and attaches the next one. Thread-safe, except for
// Stop. Its threads: two of the stream, one for items that the chain has accepted, one for timeouts, and a small pool
// that reads blocks for peers.
class Network final : public PeerBlocks, public PeerList, private EngineLinkOwner {
 public:
  // `engine`: an address that has passed EngineStream::CheckAddress; empty: there is no network. `open` opens streams
  // to it.
  Network(const std::string& engine, const OpenEngineTransport& open, const NetworkContext& context);
  // For one thread that does everything, such as a simulation's: the network has no threads. The caller calls Tick
  // several times a second, and Step after each call until nothing waits.
  Network(const MakeEngineLink& make_link, const NetworkContext& context);
  // As Stop().
  ~Network() override;
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  // Handles timeouts, and tells the engine how our chain has advanced.
  void Tick();
  // Handles one item that the chain has accepted, or one request of a peer. False: nothing waits.
  bool Step();

  // Closes the outbound channel and ends the stream and the threads. May be called again.
  void Stop();

  NetworkCounts counts() const;
  // What grows, for metrics.
  metrics::FootprintList queues() const;
  metrics::FootprintList caches() const;
  // Why there is no connection to the network, for people; empty: there is one.
  std::string trouble() const { return link_->trouble(); }
  // As EngineLink::Watch.
  void WatchEngine(std::function<void(bool attached)> watcher) { link_->Watch(std::move(watcher)); }

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

  Network(const MakeEngineLink& make_link, const NetworkContext& context, size_t threads);
  void HandleOutbound(const OutboundItem& item);
  void RunTicks(const std::stop_token& stop);
  // Sends our chain's status to the engine when it has changed, and ends peers on another chain.
  void RefreshChain();
  ClaimedChain OwnChain() const;
  bool IsOtherChain(const ClaimedChain& claimed) const;
  void Publish(uint64_t stream, const OutboundItem& item);
  // Publishes recent own items again, if they have reached nobody: no other peer has connected before.
  void PublishAgain(uint64_t stream);
  void DropOldLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const NetworkContext context_;
  const SendToEngine send_ = [this](uint64_t stream, v1::BeaconToEngine message) {
    link_->Send(stream, std::move(message));
  };
  lean::beacon::Peers peers_;
  Gossip gossip_;
  BlockRequests requests_;
  BlockServer server_;

  mutable Mutex mutex_;
  std::deque<std::pair<SteadyTime, OutboundItem>> own_items_ ABSL_GUARDED_BY(mutex_);  // of the last slots
  uint64_t published_again_ ABSL_GUARDED_BY(mutex_) = 0;      // the stream whose peers have them; 0: none
  std::optional<ClaimedChain> told_ ABSL_GUARDED_BY(mutex_);  // the status that the attached engine has
  v1::EngineCounts counts_ ABSL_GUARDED_BY(mutex_);           // of the attached engine
  v1::EngineCounts earlier_counts_ ABSL_GUARDED_BY(mutex_);   // of the engines before it
  uint64_t blocks_out_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t votes_out_ ABSL_GUARDED_BY(mutex_) = 0;

  const std::unique_ptr<EngineLink> link_;  // its thread calls the parts above
  std::thread outbound_thread_;
  std::jthread tick_thread_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_NETWORK_H_
