// A gRPC server as every process of this project starts one: loopback unless told otherwise, behind a ConnectionGate,
// health on, 16 MiB messages, one process to a port.
#ifndef LEAN_COMMON_RPC_SERVER_SERVER_H_
#define LEAN_COMMON_RPC_SERVER_SERVER_H_

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/log/logger.h"
#include "common/rpc/connections/address.h"
#include "common/rpc/connections/connection_gate.h"
#include "common/rpc/server/fair_pool.h"
#include "common/rpc/server/unary_call.h"
#include "common/rpc/tls.h"
#include "grpcpp/impl/service_type.h"
#include "grpcpp/server.h"

namespace lean::rpc {

class HealthService;

inline constexpr int kReflectionStreams = 8;

struct ServerOptions {
  std::string address = "127.0.0.1:5052";  // HOST:PORT, port 0: a free one; or unix:PATH
  ServerTlsFiles tls;
  std::shared_ptr<spdlog::logger> log;          // not null
  int max_concurrent_calls = 128;               // of one connection; 16 MiB each at most
  size_t memory_quota_bytes = size_t{1} << 30;  // what gRPC may hold for all connections together
  GateOptions gate = {};
  // What health answers for besides the services, by name: SERVING unless SetServing says otherwise.
  std::vector<std::string> health_names = {};
  // For people with grpcurl. Each stream of it holds a thread: kReflectionStreams at once, more are refused as
  // RESOURCE_EXHAUSTED.
  bool reflection = false;
};

// A service and its full name, as health and reflection have it: {&duties, v1::DutyService::service_full_name()}.
struct NamedService {
  grpc::Service* service;  // not owned; outlives the server
  std::string name;
};

// Runs from Start until Shutdown (or destruction). Thread-safe.
class Server {
 public:
  // Warns in the log when other machines can reach it without TLS. Errors name the address or the file: a bad address,
  // a port in use, TLS files that do not fit, a unix socket that CheckUnixSocket refuses.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const ServerOptions& options,
                                                       const std::vector<NamedService>& services);

  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Health says NOT_SERVING, no call begins any more, calls under way get `grace` to end and are cancelled then.
  // Returns when the last one is done. Idempotent.
  void Shutdown(std::chrono::milliseconds grace);

  // What health says of every service: SERVING at first, and NOT_SERVING from Shutdown on.
  void SetServing(bool serving);
  // The same of one, or of one of the health_names, by its full name; it is SERVING as long as both say so.
  void SetServing(const std::string& service, bool serving);

  // Where it listens, with the port the system chose.
  const Address& address() const { return gate_->address(); }
  bool tls() const { return tls_; }

 private:
  Server(bool tls, std::unique_ptr<HealthService> health, std::unique_ptr<grpc::Server> server,
         std::unique_ptr<ConnectionGate> gate);

  const bool tls_;
  const std::unique_ptr<HealthService> health_;
  const std::unique_ptr<grpc::Server> server_;
  const std::unique_ptr<ConnectionGate> gate_;
};

// A server with one service, whose calls run on a FairPool of its own. Serves from Start until Stop (or destruction).
// Thread-safe, except for Stop.
class PooledServer {
 public:
  // A service that runs its calls with the dispatcher, which outlives it.
  using MakeService = std::function<std::unique_ptr<grpc::Service>(Dispatcher& dispatcher)>;

  // `name`: the service's, as of NamedService. Errors as of Server::Start.
  static absl::StatusOr<std::unique_ptr<PooledServer>> Start(const PoolOptions& pool, const ServerOptions& options,
                                                             const std::string& name, const MakeService& make);

  ~PooledServer();
  PooledServer(const PooledServer&) = delete;
  PooledServer& operator=(const PooledServer&) = delete;

  // Takes no more calls; those under way get a moment to end. May be called again.
  void Stop();

  const Address& address() const { return server_->address(); }

 private:
  explicit PooledServer(const PoolOptions& pool);

  // In the order of their dependence: what stands later uses what stands before it, and is destroyed first.
  FairPool pool_;
  const std::shared_ptr<RequestBytes> requests_ = std::make_shared<RequestBytes>();
  Dispatcher dispatcher_;
  std::unique_ptr<grpc::Service> service_;
  std::unique_ptr<Server> server_;
};

}  // namespace lean::rpc

#endif  // LEAN_COMMON_RPC_SERVER_SERVER_H_
