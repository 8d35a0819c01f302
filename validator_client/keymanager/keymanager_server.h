// The KeymanagerService on its address.
#ifndef LEAN_VALIDATOR_CLIENT_KEYMANAGER_KEYMANAGER_SERVER_H_
#define LEAN_VALIDATOR_CLIENT_KEYMANAGER_KEYMANAGER_SERVER_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/rpc/server.h"
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

// Serves from Start until Stop (or destruction).
class KeymanagerServer {
 public:
  // Errors: those of CheckKeymanagerAddress, AccessToken::ReadOrMake and rpc::Server::Start. What `context` refers to
  // outlives the server.
  static absl::StatusOr<std::unique_ptr<KeymanagerServer>> Start(KeymanagerContext context,
                                                                 const KeymanagerServerOptions& options);

  ~KeymanagerServer();
  KeymanagerServer(const KeymanagerServer&) = delete;
  KeymanagerServer& operator=(const KeymanagerServer&) = delete;

  // Takes no more calls; one under way ends first. May be called again.
  void Stop();

  const rpc::Address& address() const;

 private:
  struct Parts;  // keeps gRPC's generated code out of this header

  explicit KeymanagerServer(std::unique_ptr<Parts> parts);

  const std::unique_ptr<Parts> parts_;
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_KEYMANAGER_KEYMANAGER_SERVER_H_
