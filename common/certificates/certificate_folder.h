// A certificate authority for a small setup: a folder with the authority and with one folder for each node.
//
//   FOLDER/authority/{cert.pem,key.pem}
//   FOLDER/NAME/{ca.pem,cert.pem,key.pem}    all that the node needs, to be copied to its machine
#ifndef LEAN_COMMON_CERTIFICATES_CERTIFICATE_FOLDER_H_
#define LEAN_COMMON_CERTIFICATES_CERTIFICATE_FOLDER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/certificates/role.h"

namespace lean {

inline constexpr char kAuthorityFile[] = "ca.pem";
inline constexpr char kCertificateFile[] = "cert.pem";
inline constexpr char kKeyFile[] = "key.pem";

// A node that gets a certificate.
struct NodeNames {
  RoleUri uri;
  // DNS names and IP addresses at which others reach it. The certificate of a node that has some is also valid for
  // localhost, and is that of a server; without any, it is valid for clients only.
  std::vector<std::string> hosts;
};

// NAME or NAME=HOST[,HOST...]. A beacon and a signer are servers: without hosts they are reached by localhost only.
// InvalidArgument: not a name (IsNodeName), or a host that is neither a DNS name nor an IP address.
absl::StatusOr<NodeNames> ParseNode(Role role, absl::string_view text);

struct CertificateRequest {
  std::string folder;
  std::vector<NodeNames> nodes;
  int64_t days = 365;  // how long the certificates of nodes are valid, 1 to kMostDays
};

inline constexpr int64_t kMostDays = 3650;  // as long as an authority is valid

// What was made of a node.
struct IssuedCertificate {
  std::string name;
  std::string folder;
  absl::Time end;
};

// Makes the folder, an authority, and the certificates of the nodes. Keys are of P-256 and have mode 0600, folders have
// mode 0700. AlreadyExists: the folder exists; nothing is changed. After other errors there is no folder. `now`: the
// certificates are valid from an hour before it, because clocks differ.
absl::StatusOr<std::vector<IssuedCertificate>> MakeCertificateFolder(const CertificateRequest& request, absl::Time now);

// Adds certificates for more nodes to such a folder. AlreadyExists: a node of that name exists; nothing is changed.
absl::StatusOr<std::vector<IssuedCertificate>> AddCertificates(const CertificateRequest& request, absl::Time now);

// Replaces the certificates of these nodes (empty: of all) by ones that begin now, for the same names and keys.
// NotFound: there is no such node.
absl::StatusOr<std::vector<IssuedCertificate>> RenewCertificates(const std::string& folder,
                                                                 const std::vector<std::string>& names, int64_t days,
                                                                 absl::Time now);

}  // namespace lean

#endif  // LEAN_COMMON_CERTIFICATES_CERTIFICATE_FOLDER_H_
