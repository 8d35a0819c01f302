// What the owner of a certificate may do. A certificate names it by a URI among its alternative names:
// lean://ROLE/NAME.
#ifndef LEAN_COMMON_CERTIFICATES_ROLE_H_
#define LEAN_COMMON_CERTIFICATES_ROLE_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace lean {

enum class Role {
  kReader,     // queries only, as everybody whose certificate is accepted
  kBeacon,     // a beacon; it may query other beacons
  kSigner,     // a signer
  kValidator,  // a validator client: duties, and signatures of a signer
  kOperator,   // a person who administers: keys and data
};

absl::string_view RoleName(Role role);

struct RoleUri {
  Role role;
  std::string name;

  std::string ToString() const;
};

// nullopt: it is no such URI, the role is unknown, or IsNodeName refuses the name.
std::optional<RoleUri> ParseRoleUri(absl::string_view uri);

// 1 to 64 letters, digits, '-', '_' and '.', of which the first is a letter or a digit.
bool IsNodeName(absl::string_view name);

}  // namespace lean

#endif  // LEAN_COMMON_CERTIFICATES_ROLE_H_
