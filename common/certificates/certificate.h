// What a certificate (X.509, PEM) says.
#ifndef LEAN_COMMON_CERTIFICATES_CERTIFICATE_H_
#define LEAN_COMMON_CERTIFICATES_CERTIFICATE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/certificates/role.h"

namespace lean {

struct CertificateInfo {
  std::string subject;             // common name
  std::string issuer;              // common name
  std::vector<std::string> hosts;  // DNS names and IP addresses for which it is valid
  std::vector<RoleUri> roles;
  absl::Time begin;
  absl::Time end;
};

// Of all certificates of a PEM text, in order; at least one. InvalidArgument: there is none, or one is malformed.
absl::StatusOr<std::vector<CertificateInfo>> ReadCertificateInfos(absl::string_view pem);

// The day on which it ends, in UTC: "2027-11-29".
std::string DayOf(absl::Time time);

}  // namespace lean

#endif  // LEAN_COMMON_CERTIFICATES_CERTIFICATE_H_
