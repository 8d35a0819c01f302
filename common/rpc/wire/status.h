// Errors on the wire: a canonical status code, a message for people, and a google.rpc.ErrorInfo for programs.
//
// Inside the project an error is an absl::Status; its ErrorInfo travels as a payload. On the wire it is a
// google.rpc.Status in the trailer grpc-status-details-bin, as every gRPC library reads it.
#ifndef LEAN_COMMON_RPC_WIRE_STATUS_H_
#define LEAN_COMMON_RPC_WIRE_STATUS_H_

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "grpcpp/support/status.h"

namespace lean::rpc {

// The domain of every reason that proto/lean/v1 lists.
inline constexpr absl::string_view kErrorDomain = "lean.v1";

// Longer messages are cut, since a trailer has to fit into 8 KiB with its binary copy.
inline constexpr size_t kMaxErrorMessageBytes = 1024;

using ErrorMetadata = std::map<std::string, std::string>;

// An error with a reason (UPPER_SNAKE_CASE) and the facts a program needs, e.g. {"current", "17"}.
absl::Status MakeError(absl::StatusCode code, absl::string_view reason, absl::string_view message,
                       const ErrorMetadata& metadata = {});

// INVALID_ARGUMENT, MALFORMED_REQUEST.
absl::Status MalformedRequest(absl::string_view message);

// Reason and metadata of an error, from MakeError or from a peer; empty when it has none or is of another domain.
std::string ReasonOf(const absl::Status& status);
ErrorMetadata MetadataOf(const absl::Status& status);

// To the wire. An error without a reason gets the name of its code as one (MALFORMED_REQUEST for INVALID_ARGUMENT), so
// that every error has an ErrorInfo.
grpc::Status ToGrpcStatus(const absl::Status& status);

// From the wire. Whatever the peer sent, the result has its code; details that do not parse are dropped.
absl::Status FromGrpcStatus(const grpc::Status& status);

}  // namespace lean::rpc

#endif  // LEAN_COMMON_RPC_WIRE_STATUS_H_
