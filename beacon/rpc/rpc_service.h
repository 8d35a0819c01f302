// RpcService: the beacon's gRPC server, with BeaconService for people and DutyService for validator clients.
#ifndef LEAN_BEACON_RPC_RPC_SERVICE_H_
#define LEAN_BEACON_RPC_RPC_SERVICE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "beacon/rpc/served_chain.h"
#include "common/rpc/server.h"

namespace lean::beacon {

struct RpcServiceOptions {
  std::string node_name = "beacon";
  rpc::ServerOptions server;
};

// Serves from Start until Stop. gRPC's own threads only take calls in; the work runs on two bounded pools, so that
// people's questions never wait for, nor hold up, the duties of validators. Thread-safe, except for Stop.
class RpcService {
 public:
  // Errors as of rpc::Server::Start. What `chain` refers to outlives the service.
  static absl::StatusOr<std::unique_ptr<RpcService>> Start(ServedChain chain, const RpcServiceOptions& options);

  // As Stop().
  ~RpcService();
  RpcService(const RpcService&) = delete;
  RpcService& operator=(const RpcService&) = delete;

  // Takes no more calls; those under way get a moment to end and are cancelled then. The chain service must still
  // answer. May be called again.
  void Stop();

  // What health says, from now until Stop: SERVING at first. Thread-safe.
  void SetServing(bool serving);
  // The same of lean.v1.DutyService alone.
  void SetDutiesServed(bool served);
  // The same of lean.v1.NetworkEngine, which health knows where there is a network: whether the beacon can talk to its
  // engine. Nothing else depends on it: duties are served without one.
  void SetEngineAttached(bool attached);

  const rpc::Address& address() const;
  // Calls under way, those included whose caller has gone while work for them goes on.
  int64_t active_calls() const;

 private:
  struct Parts;  // keeps gRPC's generated code out of this header

  explicit RpcService(std::unique_ptr<Parts> parts);

  const std::unique_ptr<Parts> parts_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_RPC_RPC_SERVICE_H_
