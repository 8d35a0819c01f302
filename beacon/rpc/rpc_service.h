// RpcService: the beacon's gRPC server, with BeaconService for people and DutyService for validator clients.
#ifndef LEAN_BEACON_RPC_RPC_SERVICE_H_
#define LEAN_BEACON_RPC_RPC_SERVICE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "beacon/rpc/served_chain.h"
#include "common/metrics/footprint.h"
#include "common/rpc/server/server.h"

namespace lean::beacon {

struct RpcServiceOptions {
  std::string node_name = "beacon";
  rpc::ServerOptions server;
};

// Serves from Start until Stop. gRPC's threads only receive calls. The work runs on two bounded pools, so that queries
// do not delay duties. Thread-safe, except for Stop.
class RpcService {
 public:
  // Errors as of rpc::Server::Start. What `chain` refers to outlives the service.
  static absl::StatusOr<std::unique_ptr<RpcService>> Start(ServedChain chain, const RpcServiceOptions& options);

  // As Stop().
  ~RpcService();
  RpcService(const RpcService&) = delete;
  RpcService& operator=(const RpcService&) = delete;

  // Refuses further calls. Calls in progress get a moment to end and are then cancelled. ChainService must still run.
  // May be called again.
  void Stop();

  // Sets what the health service reports until Stop; SERVING at first. Thread-safe.
  void SetServing(bool serving);
  // The same for lean.v1.DutyService only.
  void SetDutiesServed(bool served);
  // The same for lean.v1.NetworkEngine, which health knows when the beacon has a network: whether the engine is
  // attached. It does not affect the other services, since duties are served without an engine.
  void SetEngineAttached(bool attached);

  const rpc::Server& server() const;
  const rpc::Address& address() const;
  // Calls in progress, including those whose caller has gone while their work continues.
  int64_t active_calls() const;
  // What grows, for metrics.
  metrics::FootprintList queues() const;
  metrics::FootprintList caches() const;

 private:
  struct Parts;  // keeps gRPC's generated code out of this header

  explicit RpcService(std::unique_ptr<Parts> parts);

  const std::unique_ptr<Parts> parts_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_RPC_RPC_SERVICE_H_
