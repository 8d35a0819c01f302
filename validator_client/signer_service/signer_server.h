// The Signer service on its socket.
#ifndef LEAN_VALIDATOR_CLIENT_SIGNER_SERVICE_SIGNER_SERVER_H_
#define LEAN_VALIDATOR_CLIENT_SIGNER_SERVICE_SIGNER_SERVER_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/rpc/server.h"
#include "validator_client/signer_service/sign_requests.h"

namespace lean::validator {

// OK for a unix socket, and for TLS that asks clients for certificates. InvalidArgument otherwise: whoever reaches a
// signer makes its keys sign.
absl::Status CheckSignerAddress(const rpc::ServerOptions& options);

// Serves from Start until Stop (or destruction).
class SignerServer {
 public:
  // Errors: those of CheckSignerAddress and rpc::Server::Start. `requests` outlives the server.
  static absl::StatusOr<std::unique_ptr<SignerServer>> Start(const SignRequests& requests,
                                                             const rpc::ServerOptions& options);

  ~SignerServer();
  SignerServer(const SignerServer&) = delete;
  SignerServer& operator=(const SignerServer&) = delete;

  // Takes no more calls; those under way get a moment to end. May be called again.
  void Stop();

  const rpc::Address& address() const;

 private:
  struct Parts;  // keeps gRPC's generated code out of this header

  explicit SignerServer(std::unique_ptr<Parts> parts);

  const std::unique_ptr<Parts> parts_;
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_SIGNER_SERVICE_SIGNER_SERVER_H_
