// TLS from PEM files, for servers and clients.
#ifndef LEAN_COMMON_RPC_TLS_H_
#define LEAN_COMMON_RPC_TLS_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/security/server_credentials.h"

namespace lean::rpc {

// Paths from the command line; an empty path means that the option was not given.
struct ServerTlsFiles {
  std::string cert;       // certificate chain
  std::string key;        // its private key; CheckSecretFile (common/secrets) checks the file
  std::string client_ca;  // if given, every client must show a certificate of this authority (mTLS)

  bool empty() const { return cert.empty() && key.empty() && client_ca.empty(); }
};

struct ClientTlsFiles {
  std::string server_ca;  // authority of the server's certificate
  std::string cert;       // certificate chain of the client, for mTLS; needs `key`
  std::string key;

  bool empty() const { return server_ca.empty() && cert.empty() && key.empty(); }
};

// Without files, connections are not encrypted. Errors name the file: it is unreadable or not PEM; the key does not
// belong to the certificate; CheckSecretFile refuses the key file; a certificate without a key, or a key without a
// certificate.
absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeServerCredentials(const ServerTlsFiles& files);
absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> MakeClientCredentials(const ClientTlsFiles& files);

}  // namespace lean::rpc

#endif  // LEAN_COMMON_RPC_TLS_H_
