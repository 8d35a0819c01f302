// Checks signatures for the conformance kit: `lean-conformance-verifier LOG_LIFETIME`. Each line of standard input is
// PUBKEY SLOT ROOT SIGNATURE (hex but for the slot); each line of output is "ok" or what is wrong.
#include <iostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "common/bytes/bytes.h"
#include "common/config/network_spec.h"
#include "common/crypto/signature_scheme.h"
#include "common/status/status_macros.h"

namespace lean {
namespace {

absl::Status VerifyLine(const crypto::SignatureScheme& scheme, const std::string& line) {
  const std::vector<std::string> parts = absl::StrSplit(line, ' ');
  uint64_t slot = 0;
  if (parts.size() != 4 || !absl::SimpleAtoi(parts[1], &slot)) {
    return absl::InvalidArgumentError("not a line of PUBKEY SLOT ROOT SIGNATURE");
  }
  ASSIGN_OR_RETURN(const auto pubkey, ParseFixedHex<PublicKeyBytes>(parts[0]));
  ASSIGN_OR_RETURN(const auto root, ParseFixedHex<Root>(parts[2]));
  ASSIGN_OR_RETURN(const auto signature, ParseFixedHex<SignatureBytes>(parts[3]));
  return scheme.Verify(pubkey, slot, root, signature);
}

int Main(int argc, char** argv) {
  NetworkSpec spec;
  if (argc != 2 || !absl::SimpleAtoi(argv[1], &spec.xmss_log_lifetime)) {
    std::cerr << "usage: lean-conformance-verifier LOG_LIFETIME < lines" << std::endl;
    return 2;
  }
  const auto scheme = crypto::SignatureScheme::Create(spec);
  if (!scheme.ok()) {
    std::cerr << "lean-conformance-verifier: " << scheme.status().message() << std::endl;
    return 1;
  }
  for (std::string line; std::getline(std::cin, line);) {
    const absl::Status status = VerifyLine(*scheme, line);
    std::cout << (status.ok() ? "ok" : std::string(status.message())) << '\n';
  }
  return 0;
}

}  // namespace
}  // namespace lean

int main(int argc, char** argv) { return lean::Main(argc, argv); }
