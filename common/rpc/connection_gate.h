// Takes a server's TCP connections in, or turns them away before gRPC spends anything on them.
#ifndef LEAN_COMMON_RPC_CONNECTION_GATE_H_
#define LEAN_COMMON_RPC_CONNECTION_GATE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/process/descriptors.h"
#include "common/rpc/address.h"
#include "grpcpp/server_builder.h"

namespace lean::rpc {

struct GateOptions {
  // Whether one more connection may come from this host, an IP address without brackets. Called by one thread, which it
  // must not hold up.
  std::function<bool(const std::string& host)> admit;
  // None is taken while the process has as many descriptors open, of whatever kind: the rest is left to what the
  // process itself opens.
  int max_descriptors = 0;
};

// gRPC accepts whatever comes, and has no bound on connections. One thread of its own.
class ConnectionGate {
 public:
  // Listens on HOST:PORT; port 0 takes a free one. 0.0.0.0 and :: are all addresses of both families. Connections wait
  // until Start. Errors name the address.
  static absl::StatusOr<std::unique_ptr<ConnectionGate>> Open(const Address& address, GateOptions options);

  // As Stop().
  ~ConnectionGate();
  ConnectionGate(const ConnectionGate&) = delete;
  ConnectionGate& operator=(const ConnectionGate&) = delete;

  // Hands what comes to a server that has been started.
  void Start(std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor);
  // Takes no more. Before the server's own end. May be called again.
  void Stop();

  uint16_t port() const { return port_; }

 private:
  explicit ConnectionGate(GateOptions options) : options_(std::move(options)) {}

  absl::Status Listen(const Address& address);
  void Run();
  // What waits on this socket. False: the machine has run out of something, so a pause is due.
  bool AcceptAll(int listener);

  const GateOptions options_;
  std::vector<Descriptor> listeners_;
  uint16_t port_ = 0;
  Descriptor stop_;  // readable once Stop was called
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor_;
  std::thread thread_;
};

}  // namespace lean::rpc

#endif  // LEAN_COMMON_RPC_CONNECTION_GATE_H_
