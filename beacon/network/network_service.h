// NetworkService: the beacon's links to others, and gossip over them. Decides nothing about the chain.
#ifndef LEAN_BEACON_NETWORK_NETWORK_SERVICE_H_
#define LEAN_BEACON_NETWORK_NETWORK_SERVICE_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "beacon/network/broken_links.h"
#include "beacon/network/gossip.h"
#include "beacon/network/link.h"
#include "beacon/network/network.h"
#include "beacon/network/peer_acceptor.h"
#include "beacon/network/peer_channels.h"
#include "beacon/network/peer_table.h"
#include "beacon/network/pending.h"
#include "beacon/network/targets.h"
#include "common/concurrency/worker_pool.h"
#include "common/rpc/server.h"
#include "common/rpc/tls.h"

namespace lean::beacon {

class PeerServer;

struct NetworkOptions {
  std::string name;                // of this node
  std::vector<std::string> peers;  // HOST:PORT each, to be dialled
  std::string listen_address;      // HOST:PORT; empty: nobody can dial us
  PeerTlsFiles tls;
  PeerTableLimits limits;
  std::optional<RateLimits> rates;         // of each peer; those of RateLimits::For when not given
  std::optional<SendQueue::Limits> queue;  // to each peer; those of SendQueue::Limits::For when not given
};

// Thread-safe, except for Stop. Two threads of its own: one for what the chain accepted, one that watches the time;
// gRPC's for what comes in, and a small pool that reads blocks for others.
class NetworkService final : public Network, public LinkOwner, public PeerAcceptor {
 public:
  // Listens and begins to dial. Errors as of rpc::Server::Start, and for bad addresses and TLS files of peers.
  static absl::StatusOr<std::unique_ptr<NetworkService>> Start(const NetworkOptions& options,
                                                               const NetworkContext& context);

  // As Stop().
  ~NetworkService() override;
  NetworkService(const NetworkService&) = delete;
  NetworkService& operator=(const NetworkService&) = delete;

  // Closes the outbound channel, says goodbye to all and ends the threads. May be called again.
  void Stop() override;

  std::vector<PeerInfo> Peers() const override;
  void BlocksByRoot(uint64_t peer, std::vector<Root> roots, Done done) override;
  void BlocksByRange(uint64_t peer, uint64_t first_slot, uint64_t count, Done done) override;
  void Report(uint64_t peer, Offence offence, std::string why) override;

  std::vector<PeerState> PeerStates() const override;
  size_t linked_peers() const override;
  std::string node_id() const override;
  std::string peer_address() const override { return peer_address_; }
  std::optional<rpc::Address> listener() const override {
    return server_ == nullptr ? std::nullopt : std::optional(server_->address());
  }

  NetworkCounts counts() const override;
  std::string trouble() const override { return ""; }

  std::optional<Goodbye> Admit(const LinkPtr& link) override;
  std::string Ban(const LinkPtr& link) override;
  void OnEnded(const LinkPtr& link) override;
  LinkPtr Accept(const std::string& peer) override;
  LinkPtr LinkOf(const SessionId& session) override;

 private:
  NetworkService(const NetworkOptions& options, const NetworkContext& context);

  absl::Status Listen();
  absl::Status CheckPeers() const;
  bool MayConnect(const std::string& host);

  void RunOutbound();
  void RunTicks(std::stop_token stop);
  void Tick();
  void DialLocked(const std::string& address);
  // What its peer is known for now.
  void Remember(const Link& link, SteadyTime now);
  // What goes beside a link that we dialled: asking, and answering.
  void OpenAsker(const LinkPtr& link, const std::shared_ptr<grpc::GenericStub>& stub);
  void RefreshChain();
  PeerChain OwnChain() const;
  std::vector<LinkPtr> Links() const;
  LinkPtr FindLink(uint64_t id) const;
  void Ask(uint64_t peer, v1::BlocksRequest request, Done done);

  const NetworkContext context_;
  const NetworkOptions options_;
  const Identity own_;
  Gossip gossip_;
  OffenceCounts offences_;
  std::atomic<uint64_t> bans_ = 0;
  const LinkContext link_context_;
  WorkerPool serve_pool_;
  const std::shared_ptr<Pending> pending_;
  PeerChannels channels_;
  BrokenLinks broken_;
  std::string peer_address_;

  mutable std::mutex mutex_;
  std::condition_variable links_changed_;
  // Guarded by mutex_.
  bool stopping_ = false;
  PeerTable table_;
  uint64_t next_link_ = 1;
  std::map<uint64_t, LinkPtr> links_;  // those in their handshake, too
  std::map<SessionId, uint64_t> sessions_;
  std::map<uint64_t, std::shared_ptr<grpc::GenericStub>> stubs_;  // of links that we dial
  Targets targets_;
  Traffic ended_traffic_;  // of links that have ended

  mutable std::mutex chain_mutex_;
  PeerChain chain_;  // ours, as peers know it; guarded by chain_mutex_

  std::unique_ptr<PeerServer> peer_server_;
  std::unique_ptr<rpc::Server> server_;
  std::thread outbound_thread_;
  std::jthread tick_thread_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_NETWORK_SERVICE_H_
