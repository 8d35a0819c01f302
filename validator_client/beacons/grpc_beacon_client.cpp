#include "validator_client/beacons/grpc_beacon_client.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/rpc/server/unary_call.h"
#include "common/status/status_macros.h"

namespace lean::validator {

GrpcBeaconClient::GrpcBeaconClient(std::string address, rpc::ChannelSource channels, const rpc::ClientTlsFiles& tls)
    : WireBeaconClient(std::move(address)), check_(name(), tls), calls_(std::move(channels)) {}

absl::Status GrpcBeaconClient::Call(const char* service, const char* method, const google::protobuf::Message& request,
                                    google::protobuf::Message& response, Timeout timeout) {
  ASSIGN_OR_RETURN(const grpc::ByteBuffer bytes,
                   calls_.Call(absl::StrCat("/lean.v1.", service, "/", method), request, timeout), check_.Explain(_));
  // Takes the answer as bytes, since gRPC's own decoding does not bound the number of fields.
  RETURN_IF_ERROR(rpc::DecodeRequest(bytes, response), BadAnswer(method, _));
  return absl::OkStatus();
}

}  // namespace lean::validator
