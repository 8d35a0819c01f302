#include "common/config/public_keys.h"

#include "absl/strings/str_cat.h"
#include "common/bytes/hex.h"

namespace lean {

absl::Status CheckPublicKeys(const GenesisConfig& config, const crypto::SignatureScheme& scheme) {
  for (size_t i = 0; i < config.validators.size(); ++i) {
    const PublicKeyBytes& key = config.validators[i];
    if (absl::Status status = scheme.CheckPublicKey(key); !status.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("GENESIS_VALIDATORS[", i, "] (", ShortHex(key.span()),
                                                     ") is no public key of this network: ", status.message()));
    }
  }
  return absl::OkStatus();
}

}  // namespace lean
