#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <rapidcheck/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "common/crypto/keccak/shake128.h"

namespace lean::crypto {
namespace {

std::vector<uint8_t> Shake(const std::vector<uint8_t>& input, size_t length) {
  std::vector<uint8_t> output(length);
  Shake128(input, absl::MakeSpan(output));
  return output;
}

std::string Hex(const std::vector<uint8_t>& bytes) {
  return absl::BytesToHexString({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::vector<uint8_t> OpenSslShake(const std::vector<uint8_t>& input, size_t length) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  std::vector<uint8_t> output(length);
  EXPECT_EQ(EVP_DigestInit_ex(context.get(), EVP_shake128(), nullptr), 1);
  EXPECT_EQ(EVP_DigestUpdate(context.get(), input.data(), input.size()), 1);
  EXPECT_EQ(EVP_DigestFinalXOF(context.get(), output.data(), length), 1);
  return output;
}

// NIST's example values for SHAKE128 (Cryptographic Standards and Guidelines: Message size 0 and 1600 bits) and its
// test vector for "abc".
TEST(Shake128, KnownAnswers) {
  EXPECT_EQ(Hex(Shake({}, 32)), "7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26");
  EXPECT_EQ(Hex(Shake(std::vector<uint8_t>(200, 0xa3), 32)),
            "131ab8d2b594946b9c81333f9bb6e0ce75c3b93104fa3469d3917457385da037");
  EXPECT_EQ(Hex(Shake({'a', 'b', 'c'}, 16)), "5881092dd818bf5cf8a3ddb793fbcba7");
}

TEST(Shake128, AgreesWithOpenSslAroundTheRate) {
  for (const size_t input : {0, 1, 61, 93, 167, 168, 169, 335, 336, 337, 1000}) {
    for (const size_t output : {1, 16, 112, 128, 167, 168, 169, 336, 500}) {
      std::vector<uint8_t> bytes(input);
      for (size_t i = 0; i < input; ++i) bytes[i] = static_cast<uint8_t>(i * 31 + output);
      EXPECT_EQ(Shake(bytes, output), OpenSslShake(bytes, output)) << input << " -> " << output;
    }
  }
}

RC_GTEST_PROP(Shake128, AgreesWithOpenSsl, (const std::vector<uint8_t>& input)) {
  RC_ASSERT(Shake(input, 200) == OpenSslShake(input, 200));
}

}  // namespace
}  // namespace lean::crypto
