#include "common/rpc/server/caller_role.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "common/rpc/wire/status.h"
#include "grpc/grpc_security_constants.h"

namespace lean::rpc {

std::vector<RoleUri> RolesOf(const grpc::AuthContext& caller) {
  std::vector<RoleUri> roles;
  for (const grpc::string_ref& uri : caller.FindPropertyValues(GRPC_PEER_URI_PROPERTY_NAME)) {
    std::optional<RoleUri> role = ParseRoleUri(absl::string_view(uri.data(), uri.size()));
    if (role.has_value()) roles.push_back(*std::move(role));
  }
  return roles;
}

absl::Status CheckRole(const grpc::ServerContextBase& context, Role needed) {
  const std::shared_ptr<const grpc::AuthContext> caller = context.auth_context();
  if (needed == Role::kReader || caller == nullptr || !caller->IsPeerAuthenticated()) return absl::OkStatus();
  const std::vector<RoleUri> roles = RolesOf(*caller);
  for (const RoleUri& role : roles) {
    if (role.role == needed) return absl::OkStatus();
  }
  const std::string shown =
      roles.empty() ? "no role" : absl::StrJoin(roles, " and ", [](std::string* text, const RoleUri& role) {
        absl::StrAppend(text, role.ToString());
      });
  return MakeError(absl::StatusCode::kPermissionDenied, "WRONG_ROLE",
                   absl::StrCat("this call needs a certificate with the role lean://", RoleName(needed),
                                "/NAME, and yours has ", shown, ": make one with `lean-beacon certs add`"),
                   {{"needed", std::string(RoleName(needed))}});
}

}  // namespace lean::rpc
