// Who makes a call, for sharing a server among callers.
#ifndef LEAN_COMMON_RPC_CALLER_H_
#define LEAN_COMMON_RPC_CALLER_H_

#include <cstddef>
#include <string>

#include "grpcpp/server_context.h"

namespace lean::rpc {

struct Caller {
  // "cert:" and the name of the certificate that the client has shown, else its address without the port.
  std::string host;
  // Its address with the port: one of the host's connections.
  std::string connection;

  bool HasCertificate() const;
  // Who is answerable: the certificate's owner, wherever it calls from; else the connection, since an address may be
  // that of many programs.
  const std::string& identity() const { return HasCertificate() ? host : connection; }
};

Caller CallerOf(const grpc::ServerContextBase& context);

// What is known of a caller, from best to worst. The better ones' calls go first.
enum class Rank { kGood, kUnknown, kBad };
inline constexpr size_t kRanks = 3;

}  // namespace lean::rpc

#endif  // LEAN_COMMON_RPC_CALLER_H_
