#include "common/certificates/role.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/config/network_spec.h"

namespace lean {
namespace {

constexpr absl::string_view kScheme = "lean://";

constexpr std::pair<Role, absl::string_view> kRoleNames[] = {{Role::kReader, "reader"},
                                                             {Role::kBeacon, "beacon"},
                                                             {Role::kSigner, "signer"},
                                                             {Role::kValidator, "validator"},
                                                             {Role::kOperator, "operator"}};

}  // namespace

absl::string_view RoleName(Role role) {
  for (const auto& [known, name] : kRoleNames) {
    if (known == role) return name;
  }
  return "";
}

std::string RoleUri::ToString() const { return absl::StrCat(kScheme, RoleName(role), "/", name); }

std::optional<RoleUri> ParseRoleUri(absl::string_view uri) {
  if (!absl::ConsumePrefix(&uri, kScheme)) return std::nullopt;
  for (const auto& [role, role_name] : kRoleNames) {
    absl::string_view name = uri;
    if (!absl::ConsumePrefix(&name, role_name) || !absl::ConsumePrefix(&name, "/") || !IsNodeName(name)) continue;
    return RoleUri{role, std::string(name)};
  }
  return std::nullopt;
}

bool IsNodeName(absl::string_view name) { return IsPlainName(name) && absl::ascii_isalnum(name[0]); }

}  // namespace lean
