#include "common/rpc/caller.h"

#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "grpcpp/security/auth_context.h"

namespace lean::rpc {
namespace {

constexpr absl::string_view kCertificatePrefix = "cert:";

}  // namespace

bool Caller::HasCertificate() const { return absl::StartsWith(host, kCertificatePrefix); }

Caller CallerOf(const grpc::ServerContextBase& context) {
  Caller caller;
  caller.connection = context.peer();  // "ipv4:10.0.0.1:4711", "ipv6:%5B::1%5D:4711", "unix:"
  const auto auth = context.auth_context();
  if (auth != nullptr && auth->IsPeerAuthenticated()) {
    const std::vector<grpc::string_ref> names = auth->GetPeerIdentity();
    if (!names.empty()) {
      caller.host = absl::StrCat(kCertificatePrefix, absl::string_view(names[0].data(), names[0].size()));
      return caller;
    }
  }
  caller.host = caller.connection.substr(0, caller.connection.rfind(':'));
  return caller;
}

}  // namespace lean::rpc
