// The settings of a lean network besides its genesis: `network.yaml` in the genesis folder.
#ifndef LEAN_COMMON_CONFIG_NETWORK_SPEC_H_
#define LEAN_COMMON_CONFIG_NETWORK_SPEC_H_

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"

namespace lean {

// True for 1 to 64 letters, digits, '-', '_' or '.', which need no quotes anywhere.
inline bool IsPlainName(absl::string_view name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.';
  });
}

// The form of an XMSS signature within the container field of 3116 bytes (docs/protocol.md).
enum class SignatureForm {
  kFlat,  // path, rho, hashes as canonical words, zero-padded (leanSpec 050fa4a)
};

// The defaults are those of pq-devnet-1. They apply if network.yaml or one of its fields is missing.
struct NetworkSpec {
  std::string name = "pq-devnet-1";  // 1 to 64 letters, digits, '-', '_', '.'
  uint64_t slot_duration_ms = 4000;  // multiple of 4, 100..60000
  uint32_t xmss_log_lifetime = 32;   // 32, 16 or 8: a key has 2^xmss_log_lifetime leaves
  SignatureForm signature_form = SignatureForm::kFlat;

  friend bool operator==(const NetworkSpec&, const NetworkSpec&) = default;
};

absl::string_view SignatureFormName(SignatureForm form);

// Checks a spec from the command line. InvalidArgument: it exceeds a limit above, which the error names.
absl::Status CheckNetworkSpec(const NetworkSpec& spec);

// Reads DIR/network.yaml: NETWORK_NAME, SLOT_DURATION_MS, XMSS_LOG_LIFETIME, SIGNATURE_FORM. Each is optional; other
// fields are refused. InvalidArgument contains file, line and field. If the file is missing, the defaults apply, and a
// line that lists them is added to `warnings` (may be null).
absl::StatusOr<NetworkSpec> ReadNetworkSpec(const std::string& genesis_dir,
                                            std::vector<std::string>* warnings = nullptr);

// The path of the file, which need not exist.
std::string NetworkSpecPath(const std::string& genesis_dir);

// Writes DIR/network.yaml. AlreadyExists: it exists. InvalidArgument: see CheckNetworkSpec.
absl::Status WriteNetworkSpec(const NetworkSpec& spec, const std::string& genesis_dir);

}  // namespace lean

#endif  // LEAN_COMMON_CONFIG_NETWORK_SPEC_H_
