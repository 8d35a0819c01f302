// Serves the Signer service.
#ifndef LEAN_VALIDATOR_CLIENT_SIGNING_SIGNER_SERVER_H_
#define LEAN_VALIDATOR_CLIENT_SIGNING_SIGNER_SERVER_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/rpc/pooled_server.h"
#include "validator_client/signing/sign_requests.h"

namespace lean::validator {

// OK for a unix socket, and for TLS that requires client certificates. InvalidArgument otherwise, because anybody who
// can connect to a signer can make its keys sign.
absl::Status CheckSignerAddress(const rpc::ServerOptions& options);

// Serves until it is stopped. Errors: those of CheckSignerAddress and rpc::Server::Start. `requests` must outlive the
// server.
absl::StatusOr<std::unique_ptr<rpc::PooledServer>> StartSignerServer(const SignRequests& requests,
                                                                     const rpc::ServerOptions& options);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_SIGNING_SIGNER_SERVER_H_
