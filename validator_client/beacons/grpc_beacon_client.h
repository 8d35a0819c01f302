// Calls a beacon over gRPC.
#ifndef LEAN_VALIDATOR_CLIENT_BEACONS_GRPC_BEACON_CLIENT_H_
#define LEAN_VALIDATOR_CLIENT_BEACONS_GRPC_BEACON_CLIENT_H_

#include <string>

#include "absl/status/status.h"
#include "common/rpc/client/calls.h"
#include "common/rpc/client/channel.h"
#include "common/rpc/client/connection_check.h"
#include "common/rpc/tls_files.h"
#include "google/protobuf/message.h"
#include "validator_client/beacons/wire_beacon_client.h"

namespace lean::validator {

// A timer of this process ends each call, whatever the beacon sends. Errors keep the beacon's code, message and reason
// (common/rpc/wire/status.h).
class GrpcBeaconClient : public WireBeaconClient {
 public:
  // `channels` makes channels to `address`, with `tls`. The address is the name in logs.
  GrpcBeaconClient(std::string address, rpc::ChannelSource channels, const rpc::ClientTlsFiles& tls = {});

  void Cancel() override { calls_.Cancel(); }

 private:
  // From the encoded request to the decoded answer.
  absl::Status Call(const char* service, const char* method, const google::protobuf::Message& request,
                    google::protobuf::Message& response, Timeout timeout) override;

  rpc::ConnectionCheck check_;
  rpc::BoundedCalls calls_;
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_BEACONS_GRPC_BEACON_CLIENT_H_
