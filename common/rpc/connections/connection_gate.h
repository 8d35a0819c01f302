// Accepts a server's connections, or closes them before the server spends anything on them. Written here because gRPC
// bounds neither connections nor handshakes of one address.
#ifndef LEAN_COMMON_RPC_CONNECTIONS_CONNECTION_GATE_H_
#define LEAN_COMMON_RPC_CONNECTIONS_CONNECTION_GATE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/clock/clock.h"
#include "common/process/descriptors.h"
#include "common/rpc/connections/address.h"
#include "common/rpc/connections/open_connections.h"

namespace lean::rpc {

// Of HOST:PORT and of unix:PATH, where all clients are one host.
struct GateOptions {
  // The most open connections of this server. 0: DefaultConnectionLimits.
  ConnectionLimits limits = {};
  // Complete requests, which the server counts. Connections that hold back too much of their requests are shut down.
  // Null: none are.
  std::shared_ptr<RequestBytes> requests = nullptr;
  UnfinishedLimits unfinished = {};
  // No connection is accepted while the process has this many descriptors open, of any kind. 0: three quarters of its
  // limit.
  int max_descriptors = 0;
};

// A quarter of the descriptors that the process may open, at least 16 and at most 1,024 connections, and half of them
// from one host. Two servers thus leave half of the descriptors to the process itself, above all to its database.
ConnectionLimits DefaultConnectionLimits();

// Listens for a server. gRPC accepts connections without a bound and stops accepting for ever when the process runs out
// of descriptors; this class does neither. Runs one thread.
class ConnectionGate {
 public:
  // Receives a connection and the listening descriptor that it came through.
  using Take = std::function<void(Descriptor connection, int listener)>;

  // Listens on HOST:PORT or unix:PATH; port 0 takes a free one. 0.0.0.0 and :: mean all addresses of both families.
  // Connections wait until Start is called. Errors name the address.
  static absl::StatusOr<std::unique_ptr<ConnectionGate>> Open(const Address& address, GateOptions options);

  // Like Stop().
  ~ConnectionGate();
  ConnectionGate(const ConnectionGate&) = delete;
  ConnectionGate& operator=(const ConnectionGate&) = delete;

  // Passes connections to a server that is running. One thread calls `take`.
  void Start(Take take);
  // Accepts no more connections. Call it before the server is shut down. May be called again.
  void Stop();

  // The address on which it listens, with the port that the system chose.
  const Address& address() const { return address_; }

 private:
  ConnectionGate(Address address, GateOptions options);

  absl::Status Listen();
  absl::Status ListenTcp();
  absl::Status ListenUnix();
  void Run();
  // Accepts the connections that wait on this socket. False: the machine has run out of a resource, so a pause is
  // needed.
  bool AcceptAll(int listener);

  Address address_;
  const GateOptions options_;
  const RealClock clock_;  // sockets wait in real time
  OpenConnections open_;   // used by the thread only
  std::vector<Descriptor> listeners_;
  Descriptor stop_;  // becomes readable when Stop is called
  Take take_;
  std::thread thread_;
};

}  // namespace lean::rpc

#endif  // LEAN_COMMON_RPC_CONNECTIONS_CONNECTION_GATE_H_
