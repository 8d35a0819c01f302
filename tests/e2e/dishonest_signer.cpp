// Signs votes as a dishonest validator, as many for a slot as it is told: `lean-test-dishonest-signer KEY_FILE`. Each
// line of standard input is the SSZ of an Attestation in hex; each line of output is its signature in hex.
#include <cstdint>
#include <iostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/bytes/bytes.h"
#include "common/containers/attestation.h"
#include "common/crypto/xmss/keys/secret_key.h"
#include "common/crypto/xmss/keys/secret_key_file.h"
#include "common/crypto/xmss/signature.h"
#include "common/ssz/ssz.h"
#include "common/status/status_macros.h"

namespace lean {
namespace {

absl::StatusOr<SignatureBytes> SignLine(const xmss::SecretKey& key, const std::string& line) {
  ASSIGN_OR_RETURN(const std::vector<uint8_t> ssz, ParseHex(line));
  ASSIGN_OR_RETURN(const auto vote, ssz::Deserialize<Attestation>(ssz));
  ASSIGN_OR_RETURN(const xmss::Signature signature, key.Sign(vote.data.slot, ssz::HashTreeRoot(vote)));
  SignatureBytes bytes;
  xmss::EncodeFlat(key.scheme(), signature, bytes.mutable_span());
  return bytes;
}

absl::Status SignLines(const std::string& path) {
  ASSIGN_OR_RETURN(const xmss::SecretKeyInfo info, xmss::InspectSecretKey(path));
  ASSIGN_OR_RETURN(const xmss::LoadedSecretKey loaded, xmss::LoadSecretKey(info.scheme, path, info.active.first));
  for (std::string line; std::getline(std::cin, line);) {
    ASSIGN_OR_RETURN(const SignatureBytes signature, SignLine(loaded.key, line));
    std::cout << ToHex(signature.span()) << '\n' << std::flush;
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace lean

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: lean-test-dishonest-signer KEY_FILE < lines" << std::endl;
    return 2;
  }
  const absl::Status status = lean::SignLines(argv[1]);
  if (!status.ok()) std::cerr << "lean-test-dishonest-signer: " << status.message() << std::endl;
  return status.ok() ? 0 : 1;
}
