// Beacons in one process, linked over loopback: real chains, signatures and gRPC.
#ifndef LEAN_TESTS_BEACON_NETWORK_LINKED_NODE_H_
#define LEAN_TESTS_BEACON_NETWORK_LINKED_NODE_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "beacon/network/network_service.h"
#include "tests/beacon/network/chain_node.h"

namespace lean::beacon {

// A chain that waits in slot 1 for blocks, and its network.
class Node : public ChainNode {
 public:
  explicit Node(const std::string& name, const Genesis& genesis = Keys().genesis()) : ChainNode(genesis), name_(name) {}
  ~Node() { Stop(); }

  void Start(const std::vector<std::string>& peers, bool listen = true, PeerTableLimits limits = {}) {
    auto service = NetworkService::Start({.name = name_,
                                          .peers = peers,
                                          .listen_address = listen ? listen_address_ : "",
                                          .tls = tls_,
                                          .limits = limits,
                                          .rates = {},
                                          .queue = {}},
                                         context());
    ASSERT_TRUE(service.ok()) << service.status();
    network_ = *std::move(service);
  }
  void Stop() {
    chain().Stop();
    if (network_ != nullptr) network_->Stop();
  }

  bool Linked(size_t count) const { return network_->linked_peers() == count; }

  NetworkService& network() { return *network_; }
  std::string address() const { return network_->peer_address(); }
  // Of a beacon that fits this one.
  Identity IdentityOf(const std::string& name) const {
    return {.network = spec().name,
            .genesis_root = genesis().block_root,
            .spec_digest = SpecDigest(spec()),
            .node = DrawId<NodeId>(),
            .name = name,
            .version = "0"};
  }

  std::string listen_address_ = "127.0.0.1:0";
  PeerTlsFiles tls_;

 private:
  const std::string name_;
  std::unique_ptr<NetworkService> network_;
};

}  // namespace lean::beacon

#endif  // LEAN_TESTS_BEACON_NETWORK_LINKED_NODE_H_
