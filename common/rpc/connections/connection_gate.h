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
  // Open at once, of this server. 0: DefaultConnectionLimits.
  ConnectionLimits limits = {};
  // Whole requests, counted by the server: connections that keep too much of theirs back are shut down. Null: none are.
  std::shared_ptr<RequestBytes> requests = nullptr;
  UnfinishedLimits unfinished = {};
  // None is taken while the process has as many descriptors open, of whatever kind. 0: three quarters of what it may.
  int max_descriptors = 0;
};

// A quarter of the descriptors that the process may open, from 16 to 1,024 connections, and half of them from one host.
// So two servers leave half to what the process itself opens: its database first of all.
ConnectionLimits DefaultConnectionLimits();

// Listens for a server. gRPC would accept whatever comes without a bound, and stop accepting for ever once the process
// is out of descriptors; this goes on. One thread of its own.
class ConnectionGate {
 public:
  // Gets a connection, and the listening descriptor that it came by.
  using Take = std::function<void(Descriptor connection, int listener)>;

  // Listens on HOST:PORT or unix:PATH; port 0 takes a free one. 0.0.0.0 and :: are all addresses of both families.
  // Connections wait until Start. Errors name the address.
  static absl::StatusOr<std::unique_ptr<ConnectionGate>> Open(const Address& address, GateOptions options);

  // As Stop().
  ~ConnectionGate();
  ConnectionGate(const ConnectionGate&) = delete;
  ConnectionGate& operator=(const ConnectionGate&) = delete;

  // Hands what comes to a server that has been started; `take` is called by one thread.
  void Start(Take take);
  // Takes no more. Before the server's own end. May be called again.
  void Stop();

  // Where it listens, with the port the system chose.
  const Address& address() const { return address_; }

 private:
  ConnectionGate(Address address, GateOptions options);

  absl::Status Listen();
  absl::Status ListenTcp();
  absl::Status ListenUnix();
  void Run();
  // What waits on this socket. False: the machine has run out of something, so a pause is due.
  bool AcceptAll(int listener);

  Address address_;
  const GateOptions options_;
  const RealClock clock_;  // what waits on sockets waits in real time
  OpenConnections open_;   // the thread's
  std::vector<Descriptor> listeners_;
  Descriptor stop_;  // readable once Stop was called
  Take take_;
  std::thread thread_;
};

}  // namespace lean::rpc

#endif  // LEAN_COMMON_RPC_CONNECTIONS_CONNECTION_GATE_H_
