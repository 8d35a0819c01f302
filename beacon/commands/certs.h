// `lean-beacon certs`: certificates for a small setup (docs/two_machines.md).
#ifndef LEAN_BEACON_COMMANDS_CERTS_H_
#define LEAN_BEACON_COMMANDS_CERTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/certificates/certificate_folder.h"

namespace lean::beacon {

struct CertsOptions {
  std::string folder;
  int64_t days = 365;
  std::vector<std::string> beacons;  // as ParseNode reads them, like the next four
  std::vector<std::string> signers;
  std::vector<std::string> validators;
  std::vector<std::string> operators;
  std::vector<std::string> readers;
  std::vector<std::string> names;  // of nodes to renew; empty: all
};

// The three commands, as the functions of common/certificates/certificate_folder.h. They print what was made.
absl::Status MakeCertificates(const CertsOptions& options);
absl::Status AddCertificates(const CertsOptions& options);
absl::Status RenewCertificates(const CertsOptions& options);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_COMMANDS_CERTS_H_
