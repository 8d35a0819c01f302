// Errors on the wire: a canonical status code, a message for people, and a google.rpc.ErrorInfo for programs.
//
// In our code an error is an absl::Status with the ErrorInfo as a payload. On the wire it is a google.rpc.Status in the
// trailer grpc-status-details-bin, which all gRPC libraries read.
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

// Longer messages are cut, because the trailer with its binary copy must fit into 8 KiB.
inline constexpr size_t kMaxErrorMessageBytes = 1024;

using ErrorMetadata = std::map<std::string, std::string>;

// An error with a reason (UPPER_SNAKE_CASE) and metadata for programs, such as {"current", "17"}.
absl::Status MakeError(absl::StatusCode code, absl::string_view reason, absl::string_view message,
                       const ErrorMetadata& metadata = {});

// INVALID_ARGUMENT, MALFORMED_REQUEST.
absl::Status MalformedRequest(absl::string_view message);

// Reason and metadata of an error of MakeError or of a peer; empty if it has none or has another domain.
std::string ReasonOf(const absl::Status& status);
ErrorMetadata MetadataOf(const absl::Status& status);

// Converts for the wire. An error without a reason gets the name of its code as the reason (MALFORMED_REQUEST for
// INVALID_ARGUMENT), so that every error has an ErrorInfo.
grpc::Status ToGrpcStatus(const absl::Status& status);

// Converts from the wire. The result always has the peer's code; details that cannot be parsed are dropped.
absl::Status FromGrpcStatus(const grpc::Status& status);

}  // namespace lean::rpc

#endif  // LEAN_COMMON_RPC_WIRE_STATUS_H_
