// What distinguishes one lean network from another, beside its genesis: `network.yaml` in the genesis folder.
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

// 1 to 64 letters, digits, '-', '_' or '.': needs no quotes anywhere.
inline bool IsPlainName(absl::string_view name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.';
  });
}

// Bytes of an XMSS signature inside the 3116-byte container field (docs/protocol.md).
enum class SignatureForm {
  kFlat,  // path, rho, hashes as canonical words, zero-padded (leanSpec 050fa4a)
};

// What a folder without network.yaml, or without one of its fields, has: as of pq-devnet-1.
struct NetworkSpec {
  std::string name = "pq-devnet-1";  // 1 to 64 letters, digits, '-', '_', '.'
  uint64_t slot_duration_ms = 4000;  // multiple of 4, 100..60000
  uint32_t xmss_log_lifetime = 32;   // 32, 16 or 8: a key has 2^this leaves
  SignatureForm signature_form = SignatureForm::kFlat;

  friend bool operator==(const NetworkSpec&, const NetworkSpec&) = default;
};

absl::string_view SignatureFormName(SignatureForm form);

// OK, or InvalidArgument that says which of the limits above a spec breaks: for specs that come from a command line.
absl::Status CheckNetworkSpec(const NetworkSpec& spec);

// Reads DIR/network.yaml: NETWORK_NAME, SLOT_DURATION_MS, XMSS_LOG_LIFETIME, SIGNATURE_FORM, each optional, others
// refused. InvalidArgument names file, line and field. Without the file all of them have their defaults; then a line
// that tells which is added to `warnings` (may be null).
absl::StatusOr<NetworkSpec> ReadNetworkSpec(const std::string& genesis_dir,
                                            std::vector<std::string>* warnings = nullptr);

// The file, whether or not it is there.
std::string NetworkSpecPath(const std::string& genesis_dir);

// Writes DIR/network.yaml. AlreadyExists: it is there; InvalidArgument as of CheckNetworkSpec.
absl::Status WriteNetworkSpec(const NetworkSpec& spec, const std::string& genesis_dir);

}  // namespace lean

#endif  // LEAN_COMMON_CONFIG_NETWORK_SPEC_H_
