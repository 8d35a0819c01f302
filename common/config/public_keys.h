// The registry's keys under the network's signature scheme.
#ifndef LEAN_COMMON_CONFIG_PUBLIC_KEYS_H_
#define LEAN_COMMON_CONFIG_PUBLIC_KEYS_H_

#include "absl/status/status.h"
#include "common/config/genesis_folder.h"
#include "common/crypto/signature_scheme.h"

namespace lean {

// OK when every key can be decoded: a registry that holds another one can never have its votes verified, and the
// reference refuses every block. InvalidArgument names the first index at fault. For the start of a process.
absl::Status CheckPublicKeys(const GenesisConfig& config, const crypto::SignatureScheme& scheme);

}  // namespace lean

#endif  // LEAN_COMMON_CONFIG_PUBLIC_KEYS_H_
