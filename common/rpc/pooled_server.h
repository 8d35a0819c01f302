// A server with one service, whose calls run on a FairPool of its own.
#ifndef LEAN_COMMON_RPC_POOLED_SERVER_H_
#define LEAN_COMMON_RPC_POOLED_SERVER_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/rpc/fair_pool.h"
#include "common/rpc/server.h"
#include "common/rpc/unary_call.h"
#include "grpcpp/impl/service_type.h"

namespace lean::rpc {

// Serves from Start until Stop (or destruction). Thread-safe, except for Stop.
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

#endif  // LEAN_COMMON_RPC_POOLED_SERVER_H_
