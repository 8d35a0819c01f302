#include "beacon/commands/certs.h"

#include <iostream>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/certificates/certificate.h"
#include "common/clock/clock.h"
#include "common/status/status_macros.h"

namespace lean::beacon {
namespace {

absl::Time Now() { return absl::FromUnixMillis(RealClock().WallMs()); }

absl::StatusOr<CertificateRequest> RequestOf(const CertsOptions& options) {
  CertificateRequest request{.folder = options.folder, .nodes = {}, .days = options.days};
  for (const auto& [role, nodes] :
       {std::pair(Role::kBeacon, &options.beacons), std::pair(Role::kSigner, &options.signers),
        std::pair(Role::kValidator, &options.validators), std::pair(Role::kOperator, &options.operators),
        std::pair(Role::kReader, &options.readers)}) {
    for (const std::string& text : *nodes) {
      ASSIGN_OR_RETURN(NodeNames node, ParseNode(role, text),
                       absl::InvalidArgumentError(absl::StrCat("--", RoleName(role), ": ", _.message())));
      request.nodes.push_back(std::move(node));
    }
  }
  if (request.nodes.empty()) {
    return absl::InvalidArgumentError("name the nodes: --beacon, --signer, --validator, --operator or --reader");
  }
  return request;
}

void PrintIssued(const std::vector<IssuedCertificate>& issued) {
  for (const IssuedCertificate& certificate : issued) {
    std::cout << certificate.folder << ": valid until " << DayOf(certificate.end) << "\n";
  }
  std::cout << std::flush;
}

}  // namespace

absl::Status MakeCertificates(const CertsOptions& options) {
  ASSIGN_OR_RETURN(const CertificateRequest request, RequestOf(options));
  ASSIGN_OR_RETURN(const auto issued, MakeCertificateFolder(request, Now()));
  PrintIssued(issued);
  std::cout << "copy to each machine only the folder of its node, and start its program with --tls-dir; keep "
            << options.folder << "/authority to yourself" << std::endl;
  return absl::OkStatus();
}

absl::Status AddCertificates(const CertsOptions& options) {
  ASSIGN_OR_RETURN(const CertificateRequest request, RequestOf(options));
  ASSIGN_OR_RETURN(const auto issued, lean::AddCertificates(request, Now()));
  PrintIssued(issued);
  return absl::OkStatus();
}

absl::Status RenewCertificates(const CertsOptions& options) {
  ASSIGN_OR_RETURN(const auto issued, lean::RenewCertificates(options.folder, options.names, options.days, Now()));
  PrintIssued(issued);
  std::cout << "copy each cert.pem to its machine: programs take it without a restart" << std::endl;
  return absl::OkStatus();
}

}  // namespace lean::beacon
