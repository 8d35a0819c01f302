#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "common/crypto/field/koala_bear.h"
#include "common/crypto/xmss/keys/public_key.h"
#include "common/crypto/xmss/scheme.h"
#include "common/crypto/xmss/signature.h"

namespace lean::xmss {
namespace {

using ::testing::HasSubstr;

constexpr size_t kContainerBytes = SignatureBytes::kSize;

std::vector<Scheme> AllSchemes() {
  return {*Scheme::Create(32), *Scheme::Create(16), *Scheme::Create(8), Scheme::Lifetime18()};
}

Signature RandomSignature(const Scheme& scheme, std::mt19937& random) {
  const auto word = [&random] { return static_cast<uint32_t>(random() % crypto::Fp::kModulus); };
  Signature signature;
  for (size_t i = 0; i < scheme.log_lifetime(); ++i) {
    std::generate_n(signature.path[i].begin(), scheme.hash_len(), word);
  }
  std::generate_n(signature.randomness.begin(), scheme.randomness_len(), word);
  for (Node& chain : signature.chains) std::generate_n(chain.begin(), scheme.hash_len(), word);
  return signature;
}

TEST(SchemeTest, KnowsItsLifetimes) {
  EXPECT_EQ(Scheme::Create(32)->flat_signature_bytes(), 3100);
  EXPECT_EQ(Scheme::Create(32)->bottom_leaves(), 65536);
  EXPECT_EQ(Scheme::Create(16)->lifetime(), 65536);
  EXPECT_EQ(Scheme::Create(8)->bottom_leaves(), 16);
  EXPECT_EQ(Scheme::Create(8)->public_key_bytes(), 52);
  EXPECT_THAT(Scheme::Create(18).status().message(), HasSubstr("2^18"));
  EXPECT_FALSE(Scheme::Create(0).ok());
  EXPECT_FALSE(Scheme::Create(33).ok());
}

TEST(SignatureCodecTest, FormsRoundTrip) {
  std::mt19937 random(1);
  for (const Scheme& scheme : AllSchemes()) {
    const Signature signature = RandomSignature(scheme, random);
    std::vector<uint8_t> container(kContainerBytes, 0xff);
    EncodeFlat(scheme, signature, absl::MakeSpan(container));
    Signature decoded;
    ASSERT_TRUE(DecodeFlat(scheme, container, decoded).ok());
    EXPECT_EQ(decoded, signature);
    ASSERT_TRUE(DecodeSsz(scheme, EncodeSsz(scheme, signature), decoded).ok());
    EXPECT_EQ(decoded, signature);
  }
}

TEST(SignatureCodecTest, FlatFormRefusesWhatIsNotExact) {
  std::mt19937 random(2);
  for (const Scheme& scheme : AllSchemes()) {
    std::vector<uint8_t> container(kContainerBytes);
    EncodeFlat(scheme, RandomSignature(scheme, random), absl::MakeSpan(container));
    Signature decoded;
    for (size_t i = scheme.flat_signature_bytes(); i < container.size(); ++i) {
      container[i] = 1;
      EXPECT_THAT(DecodeFlat(scheme, container, decoded).message(), HasSubstr("not zero"));
      container[i] = 0;
    }
    for (size_t word = 0; word < scheme.flat_signature_bytes(); word += 4) {
      const uint8_t before = container[word + 3];
      container[word + 3] = 0x7f;  // 0x7f000001 is the modulus
      container[word] |= 1;
      EXPECT_THAT(DecodeFlat(scheme, container, decoded).message(), HasSubstr("modulus"));
      container[word + 3] = before;
    }
    EXPECT_TRUE(DecodeFlat(scheme, container, decoded).ok());
    container.resize(scheme.flat_signature_bytes() - 1);
    EXPECT_THAT(DecodeFlat(scheme, container, decoded).message(), HasSubstr("at least"));
    EXPECT_FALSE(DecodeFlat(scheme, {}, decoded).ok());
  }
}

TEST(SignatureCodecTest, SszFormRefusesWhatIsNotExact) {
  std::mt19937 random(3);
  for (const Scheme& scheme : AllSchemes()) {
    const std::vector<uint8_t> bytes = EncodeSsz(scheme, RandomSignature(scheme, random));
    Signature decoded;
    for (size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_FALSE(DecodeSsz(scheme, ByteSpan(bytes).first(size), decoded).ok());
    }
    std::vector<uint8_t> longer = bytes;
    longer.push_back(0);
    EXPECT_FALSE(DecodeSsz(scheme, longer, decoded).ok());
    const size_t chains_offset = 4 + 4 * scheme.randomness_len();
    for (const size_t offset : {size_t{0}, chains_offset, chains_offset + 4}) {
      std::vector<uint8_t> other = bytes;
      other[offset] ^= 1;
      EXPECT_THAT(DecodeSsz(scheme, other, decoded).message(), HasSubstr("offset"));
    }
  }
}

TEST(PublicKeyTest, RefusesWhatIsNotExact) {
  const Scheme scheme = *Scheme::Create(32);
  PublicKey key;
  key.root[0] = 7;
  key.parameter[4] = crypto::Fp::kModulus - 1;
  std::vector<uint8_t> bytes = EncodePublicKey(scheme, key);
  EXPECT_EQ(*DecodePublicKey(scheme, bytes), key);
  ++bytes[48];
  EXPECT_THAT(DecodePublicKey(scheme, bytes).status().message(), HasSubstr("modulus"));
  bytes.pop_back();
  EXPECT_THAT(DecodePublicKey(scheme, bytes).status().message(), HasSubstr("52 bytes, not 51"));
}

}  // namespace
}  // namespace lean::xmss
