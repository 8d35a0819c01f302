#include <gtest/gtest.h>

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

// NIST's example values for SHAKE128 (Cryptographic Standards and Guidelines: Message size 0 and 1600 bits) and its
// test vector for "abc".
TEST(Shake128, KnownAnswers) {
  EXPECT_EQ(Hex(Shake({}, 32)), "7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26");
  EXPECT_EQ(Hex(Shake(std::vector<uint8_t>(200, 0xa3), 32)),
            "131ab8d2b594946b9c81333f9bb6e0ce75c3b93104fa3469d3917457385da037");
  EXPECT_EQ(Hex(Shake({'a', 'b', 'c'}, 16)), "5881092dd818bf5cf8a3ddb793fbcba7");
  EXPECT_EQ(Hex(Shake({'a', 'b', 'c'}, 0)), "");
}

}  // namespace
}  // namespace lean::crypto
