// The gRPC server of all our programs: on loopback by default, behind a ConnectionGate, with the health service,
// messages of up to 16 MiB, and one process per port.
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

// A name that health knows: NOT_SERVING while everybody who reaches the server is served.
inline constexpr char kAccessHealth[] = "lean.v1.RpcAccess";

inline constexpr int kReflectionStreams = 8;

struct ServerOptions {
  std::string name = "rpc";                // in logs, errors and metrics
  std::string address = "127.0.0.1:5052";  // HOST:PORT (port 0: a free one) or unix:PATH
  ServerTlsFiles tls;
  bool insecure = false;                        // may be reached by other machines without client certificates
  std::shared_ptr<spdlog::logger> log;          // not null
  int max_concurrent_calls = 128;               // of one connection, each of at most 16 MiB
  size_t memory_quota_bytes = size_t{1} << 30;  // memory of gRPC for all connections together
  GateOptions gate = {};
  // Names besides the services whose health is reported: SERVING unless SetServing says otherwise.
  std::vector<std::string> health_names = {};
  // For grpcurl. Each stream occupies a thread. At most kReflectionStreams are open at once; more are refused with
  // RESOURCE_EXHAUSTED.
  bool reflection = false;
};

// A service and its full name, which health and reflection use: {&duties, v1::DutyService::service_full_name()}.
struct NamedService {
  grpc::Service* service;  // not owned; outlives the server
  std::string name;
};

// Runs from Start until Shutdown or destruction. Thread-safe.
class Server {
 public:
  // Errors name the address or the file: a bad address, a port in use, TLS files that do not match, a unix socket that
  // CheckUnixSocket refuses, an address that others can reach without client certificates unless options.insecure.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const ServerOptions& options,
                                                       const std::vector<NamedService>& services);

  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Makes the health NOT_SERVING, accepts no more calls, and cancels calls that have not ended after `grace`. Returns
  // when the last one has ended. Idempotent.
  void Shutdown(std::chrono::milliseconds grace);

  // Sets the health of all services. It is SERVING at first and NOT_SERVING from Shutdown on.
  void SetServing(bool serving);
  // The same for one service or one of the health_names, by its full name. It is SERVING while both calls say so.
  void SetServing(const std::string& service, bool serving);

  // The address on which it listens, with the port that the system chose.
  const Address& address() const { return gate_->address(); }
  // Null without TLS.
  const std::shared_ptr<TlsFiles>& tls_files() const { return tls_files_; }
  const std::string& name() const { return name_; }
  // Other machines can reach it without client certificates.
  bool open() const { return open_; }

 private:
  Server(std::string name, bool open, std::shared_ptr<TlsFiles> tls_files, std::unique_ptr<HealthService> health,
         std::unique_ptr<grpc::Server> server, std::unique_ptr<ConnectionGate> gate);

  const std::string name_;
  const bool open_;
  const std::shared_ptr<TlsFiles> tls_files_;
  const std::unique_ptr<HealthService> health_;
  const std::unique_ptr<grpc::Server> server_;
  const std::unique_ptr<ConnectionGate> gate_;
};

// A server with one service, whose calls run on a FairPool of its own. Serves from Start until Stop (or destruction).
// Thread-safe, except for Stop.
class PooledServer {
 public:
  // Creates a service that runs its calls with the dispatcher, which outlives it.
  using MakeService = std::function<std::unique_ptr<grpc::Service>(Dispatcher& dispatcher)>;

  // `name`: the full name of the service, see NamedService. Errors of Server::Start.
  static absl::StatusOr<std::unique_ptr<PooledServer>> Start(const PoolOptions& pool, const ServerOptions& options,
                                                             const std::string& name, const MakeService& make);

  ~PooledServer();
  PooledServer(const PooledServer&) = delete;
  PooledServer& operator=(const PooledServer&) = delete;

  // Accepts no more calls. Calls in progress get a short time to end. May be called again.
  void Stop();

  const Server& server() const { return *server_; }
  const Address& address() const { return server_->address(); }

 private:
  explicit PooledServer(const PoolOptions& pool);

  // A member uses the members above it and is destroyed before them.
  FairPool pool_;
  const std::shared_ptr<RequestBytes> requests_ = std::make_shared<RequestBytes>();
  Dispatcher dispatcher_;
  std::unique_ptr<grpc::Service> service_;
  std::unique_ptr<Server> server_;
};

}  // namespace lean::rpc

#endif  // LEAN_COMMON_RPC_SERVER_SERVER_H_
