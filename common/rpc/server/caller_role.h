// What a caller may do, by the role in its certificate (common/certificates/role.h).
#ifndef LEAN_COMMON_RPC_SERVER_CALLER_ROLE_H_
#define LEAN_COMMON_RPC_SERVER_CALLER_ROLE_H_

#include <vector>

#include "absl/status/status.h"
#include "common/certificates/role.h"
#include "grpcpp/security/auth_context.h"
#include "grpcpp/server_context.h"

namespace lean::rpc {

// The roles in the caller's certificate. Empty: it shows none, or its certificate has no role.
std::vector<RoleUri> RolesOf(const grpc::AuthContext& caller);

// OK when the caller's certificate has the role `needed`. kReader is needed of calls that everybody may make. Also OK
// without a certificate: then the server requires none of anybody. PERMISSION_DENIED/WRONG_ROLE otherwise; the message
// names both roles.
absl::Status CheckRole(const grpc::ServerContextBase& context, Role needed);

}  // namespace lean::rpc

#endif  // LEAN_COMMON_RPC_SERVER_CALLER_ROLE_H_
