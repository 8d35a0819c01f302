#include "common/crypto/keccak/shake128.h"

#include <openssl/evp.h>

#include <cstdlib>
#include <memory>

namespace lean::crypto {

void Shake128(absl::Span<const uint8_t> input, absl::Span<uint8_t> output) {
  if (output.empty()) return;
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  if (context == nullptr || EVP_DigestInit_ex(context.get(), EVP_shake128(), nullptr) != 1 ||
      EVP_DigestUpdate(context.get(), input.data(), input.size()) != 1 ||
      EVP_DigestFinalXOF(context.get(), output.data(), output.size()) != 1) {
    std::abort();  // out of memory
  }
}

}  // namespace lean::crypto
