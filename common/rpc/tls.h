// TLS from PEM files, for servers and clients.
#ifndef LEAN_COMMON_RPC_TLS_H_
#define LEAN_COMMON_RPC_TLS_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/security/server_credentials.h"

namespace lean::rpc {

// Paths as the command line gives them; an empty one is not given.
struct ServerTlsFiles {
  std::string cert;       // certificate chain
  std::string key;        // its private key, as CheckSecretFile (common/secrets) asks
  std::string client_ca;  // when given, every client must show a certificate of this authority (mTLS)

  bool empty() const { return cert.empty() && key.empty() && client_ca.empty(); }
};

struct ClientTlsFiles {
  std::string server_ca;  // authority of the server's certificate
  std::string cert;       // the client's own, for mTLS, together with key
  std::string key;

  bool empty() const { return server_ca.empty() && cert.empty() && key.empty(); }
};

// Without files: plain text. Errors name the file: unreadable, not PEM, a key that is not the certificate's, a key file
// that more users may read than CheckSecretFile allows, a certificate without a key or the reverse.
absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeServerCredentials(const ServerTlsFiles& files);
absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> MakeClientCredentials(const ClientTlsFiles& files);

}  // namespace lean::rpc

#endif  // LEAN_COMMON_RPC_TLS_H_
