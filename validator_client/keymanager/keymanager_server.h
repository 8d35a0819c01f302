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
  std::string token_file;  // created if missing; not used with client certificates
};

// OK for a unix socket, a loopback address, and TLS. InvalidArgument otherwise, because passwords and the token would
// cross the network in plain text.
absl::Status CheckKeymanagerAddress(const KeymanagerServerOptions& options);

// Serves until it is stopped. Errors: those of CheckKeymanagerAddress, AccessToken::ReadOrMake and rpc::Server::Start.
// All references in `context` must outlive the server.
absl::StatusOr<std::unique_ptr<rpc::PooledServer>> StartKeymanagerServer(KeymanagerContext context,
                                                                         const KeymanagerServerOptions& options);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_KEYMANAGER_KEYMANAGER_SERVER_H_
