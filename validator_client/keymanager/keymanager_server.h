// The KeymanagerService on its address.
#ifndef LEAN_VALIDATOR_CLIENT_KEYMANAGER_KEYMANAGER_SERVER_H_
#define LEAN_VALIDATOR_CLIENT_KEYMANAGER_KEYMANAGER_SERVER_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/rpc/pooled_server.h"
#include "validator_client/keymanager/keymanager_requests.h"

namespace lean::validator {

struct KeymanagerServerOptions {
  std::string address;  // HOST:PORT or unix:PATH
  rpc::ServerTlsFiles tls;
  std::string token_file;  // made if it is not there; not used where clients show certificates
};

// OK for a unix socket, an address of this machine alone, and TLS. InvalidArgument otherwise: passwords and the token
// would cross the network in plain text.
absl::Status CheckKeymanagerAddress(const KeymanagerServerOptions& options);

// Serves until it is stopped. Errors: those of CheckKeymanagerAddress, AccessToken::ReadOrMake and rpc::Server::Start.
// What `context` refers to outlives the server.
absl::StatusOr<std::unique_ptr<rpc::PooledServer>> StartKeymanagerServer(KeymanagerContext context,
                                                                         const KeymanagerServerOptions& options);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_KEYMANAGER_KEYMANAGER_SERVER_H_
