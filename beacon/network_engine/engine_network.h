// A beacon's network by way of a network engine, a process of its own: proto/lean/v1/network_engine.proto.
#ifndef LEAN_BEACON_NETWORK_ENGINE_ENGINE_NETWORK_H_
#define LEAN_BEACON_NETWORK_ENGINE_ENGINE_NETWORK_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "beacon/network/network.h"
#include "beacon/network_engine/block_requests.h"
#include "beacon/network_engine/block_server.h"
#include "beacon/network_engine/engine_gossip.h"
#include "beacon/network_engine/engine_peers.h"
#include "beacon/network_engine/engine_stream.h"
#include "beacon/network_engine/own_items.h"
#include "lean/v1/network_engine.pb.h"

namespace lean::beacon {

struct EngineNetworkOptions {
  std::string address;              // of the engine: unix:PATH, or 127.0.0.1:PORT for tests
  std::optional<RateLimits> rates;  // of each peer; those of RateLimits::For when not given
  BlockRequestsLimits requests;
  BlockServerLimits serving;
};

// Goes on without an engine, and with the next one when it comes. Thread-safe, except for Stop. Two threads of its own:
// one for what the chain accepted, one that watches the time; gRPC's for what comes in, and a small pool that reads
// blocks for others.
class EngineNetwork final : public Network, private EngineStreamOwner {
 public:
  // InvalidArgument: an address that is not for an engine.
  static absl::StatusOr<std::unique_ptr<EngineNetwork>> Start(const EngineNetworkOptions& options,
                                                              const NetworkContext& context);

  // As Stop().
  ~EngineNetwork() override;
  EngineNetwork(const EngineNetwork&) = delete;
  EngineNetwork& operator=(const EngineNetwork&) = delete;

  void Stop() override;
  std::optional<rpc::Address> listener() const override { return std::nullopt; }
  NetworkCounts counts() const override;
  std::string trouble() const override { return stream_.trouble(); }

  std::vector<PeerInfo> Peers() const override { return peers_.Infos(); }
  void BlocksByRoot(uint64_t peer, std::vector<Root> roots, Done done) override;
  void BlocksByRange(uint64_t peer, uint64_t first_slot, uint64_t count, Done done) override;
  void Report(uint64_t peer, Offence offence, std::string why) override { peers_.Blame(peer, offence, why); }

  std::vector<PeerState> PeerStates() const override { return peers_.States(); }
  size_t linked_peers() const override { return peers_.size(); }
  // The engine's peer id, and where it listens, as it said last.
  std::string node_id() const override;
  std::string peer_address() const override;

 private:
  EngineNetwork(const EngineNetworkOptions& options, const NetworkContext& context);

  v1::BeaconHello Hello() override;
  void OnAttached(uint64_t stream, const EngineInfo& info) override;
  absl::Status OnMessage(uint64_t stream, const v1::EngineToBeacon& message) override;
  void OnDetached(uint64_t stream) override;

  absl::Status OnConnected(uint64_t stream, const v1::PeerConnected& message);
  absl::Status OnStatus(const v1::PeerStatusUpdate& message);
  absl::Status OnDisconnected(const v1::PeerDisconnected& message);
  absl::Status OnRequest(const v1::BlockRequest& message);
  void OnReport(const v1::EngineReport& report);

  void RunOutbound();
  void RunTicks(std::stop_token stop);
  // Tells the engine how far our chain is, and ends peers that turn out to be on another one.
  void RefreshChain();
  ClaimedChain OwnChain() const;
  bool IsOtherChain(const ClaimedChain& chain) const;
  void PublishBlock(uint64_t stream, const SignedBlockPtr& block);
  void PublishVotes(uint64_t stream, const std::vector<SignedVotePtr>& votes);
  // What was made of late, for those who were not there.
  void PublishAgain(uint64_t stream);
  void Ask(uint64_t peer, AskedBlocks asked, Done done);

  const NetworkContext context_;
  EnginePeers peers_;
  EngineGossip gossip_;
  BlockRequests requests_;
  BlockServer server_;

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  OwnItems own_items_;
  uint64_t published_again_ = 0;      // on this stream
  std::optional<ClaimedChain> told_;  // of our chain, to the engine that is attached
  v1::EngineCounts counts_;           // of the engine that is attached
  uint64_t earlier_bytes_in_ = 0;     // of those before it
  uint64_t earlier_bytes_out_ = 0;
  std::atomic<uint64_t> blocks_out_ = 0;
  std::atomic<uint64_t> votes_out_ = 0;

  EngineStream stream_;  // calls the parts above
  std::thread outbound_thread_;
  std::jthread tick_thread_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_ENGINE_ENGINE_NETWORK_H_
