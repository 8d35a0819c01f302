// Serves the KeymanagerService.
#ifndef LEAN_VALIDATOR_CLIENT_KEYMANAGER_KEYMANAGER_SERVER_H_
#define LEAN_VALIDATOR_CLIENT_KEYMANAGER_KEYMANAGER_SERVER_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/rpc/server/server.h"
#include "validator_client/keymanager/keymanager_requests.h"

namespace lean::validator {

struct KeymanagerServerOptions {
  std::string address;  // HOST:PORT or unix:PATH
  rpc::ServerTlsFiles tls;
  bool insecure = false;   // other machines may connect without client certificates, but with TLS and the token
  std::string token_file;  // created if missing; not used with client certificates
};

// OK for a unix socket, a loopback address, client certificates, and TLS with options.insecure. InvalidArgument
// otherwise: without TLS, passwords and the token would cross the network in plain text; without client certificates,
// gRPC reads what everybody sends.
absl::Status CheckKeymanagerAddress(const KeymanagerServerOptions& options);

// Serves until it is stopped. Errors: those of CheckKeymanagerAddress, AccessToken::ReadOrMake and rpc::Server::Start.
// All references in `context` must outlive the server.
absl::StatusOr<std::unique_ptr<rpc::PooledServer>> StartKeymanagerServer(KeymanagerContext context,
                                                                         const KeymanagerServerOptions& options);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_KEYMANAGER_KEYMANAGER_SERVER_H_
