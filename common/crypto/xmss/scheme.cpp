#include "common/crypto/xmss/scheme.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace lean::xmss {

absl::StatusOr<Scheme> Scheme::Create(uint32_t log_lifetime) {
  if (log_lifetime != 32 && log_lifetime != 16 && log_lifetime != 8) {
    return absl::InvalidArgumentError(
        absl::StrCat("XMSS lifetime 2^", log_lifetime, " is not known; use 2^32, 2^16 or 2^8"));
  }
  return Scheme(log_lifetime, kMaxHashLen, kMaxRandomnessLen);
}

}  // namespace lean::xmss
