#include "validator_client/keys/keystore/encrypted_secret.h"

#include <string>

#include "absl/strings/match.h"
#include "common/bytes/bytes.h"
#include "gtest/gtest.h"
#include "tests/validator_client/support/test_keystores.h"

namespace lean::validator {
namespace {

constexpr char kSalt[] = "d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3";
constexpr char kIv[] = "264daa3f303d7259501c93d997d84fe6";
constexpr char kSecret[] = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f";
constexpr char kTyped[] = "𝔱𝔢𝔰𝔱𝔭𝔞𝔰𝔰𝔴𝔬𝔯𝔡🔑";

struct Eip2335Vector {
  const char* name;
  DerivationCost cost;
  const char* checksum;
  const char* ciphertext;
};

class Eip2335Vectors : public testing::TestWithParam<Eip2335Vector> {
 protected:
  static std::string Hex(ByteSpan bytes) { return ToHex(bytes).substr(2); }
};

TEST_P(Eip2335Vectors, DecryptsThePublishedBytes) {
  EncryptedSecret encrypted;
  encrypted.cipher = Cipher::kAes128Ctr;
  encrypted.cost = GetParam().cost;
  encrypted.salt = *ParseHex(kSalt);
  encrypted.iv = *ParseHex(kIv);
  encrypted.checksum = *ParseFixedHex<Root>(GetParam().checksum);
  encrypted.ciphertext = *ParseHex(GetParam().ciphertext);
  const auto secret = Decrypt(encrypted, MakePassword(kTyped));
  ASSERT_TRUE(secret.ok()) << secret.status();
  EXPECT_EQ(Hex(secret->span()), kSecret);
  EXPECT_FALSE(Decrypt(encrypted, MakePassword("testpassword")).ok());
}

// EIP-2335, "Test Cases".
INSTANTIATE_TEST_SUITE_P(
    Published, Eip2335Vectors,
    testing::Values(Eip2335Vector{"Scrypt", ScryptCost{.n = 262144, .r = 8, .p = 1},
                                  "d2217fe5f3e9a1e34581ef8a78f7c9928e436d36dacc5e846690a5581e8ea484",
                                  "06ae90d55fe0a6e9c5c3bc5b170827b2e5cce3929ed3f116c2811e6366dfe20f"},
                    Eip2335Vector{"Pbkdf2", Pbkdf2Cost{.c = 262144},
                                  "8a9f5d9912ed7e75ea794bc5a89bca5f193721d30868ade6f73043c6ea6febf1",
                                  "cee03fde2af33149775b7223e7845e4fb2c8ae1792e5f99fe9ecf474cc8c16ad"}),
    [](const auto& info) { return info.param.name; });

class EncryptedSecretTest : public ::testing::Test {
 protected:
  EncryptedSecret Make(ByteSpan secret) { return *Encrypt(secret, password_, kCheapCost, random_); }

  SeededRandomSource random_{1};
  const Password password_ = MakePassword("right");
};

TEST_F(EncryptedSecretTest, SecretsOfAnySizeComeBack) {
  for (const size_t size : {0, 1, 15, 16, 17, 5000}) {
    std::vector<uint8_t> secret(size);
    ASSERT_TRUE(random_.Fill(absl::MakeSpan(secret)).ok());
    const EncryptedSecret encrypted = Make(secret);
    EXPECT_EQ(encrypted.ciphertext.size(), size + kTagBytes);
    const auto back = Decrypt(encrypted, password_);
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_EQ(back->span(), ByteSpan(secret));
  }
}

TEST_F(EncryptedSecretTest, SaltAndInitialVectorAreFreshEachTime) {
  const std::vector<uint8_t> secret(32, 7);
  const EncryptedSecret first = Make(secret);
  const EncryptedSecret second = Make(secret);
  EXPECT_NE(first.salt, second.salt);
  EXPECT_NE(first.iv, second.iv);
  EXPECT_NE(first.ciphertext, second.ciphertext);
}

TEST_F(EncryptedSecretTest, EveryFlippedBitIsFoundByTheTagAlone) {
  EncryptedSecret good = Make(std::vector<uint8_t>(33, 7));
  good.checksum.reset();
  ASSERT_TRUE(Decrypt(good, password_).ok());
  for (int bit = 0; bit < 8; ++bit) {
    for (std::vector<uint8_t> EncryptedSecret::*part : {&EncryptedSecret::ciphertext, &EncryptedSecret::iv}) {
      for (size_t i = 0; i < (good.*part).size(); ++i) {
        EncryptedSecret bad = good;
        (bad.*part)[i] ^= static_cast<uint8_t>(1 << bit);
        EXPECT_EQ(Decrypt(bad, password_).status().code(), absl::StatusCode::kInvalidArgument);
      }
    }
  }
  EncryptedSecret bad = good;
  bad.ciphertext.resize(kTagBytes - 1);
  EXPECT_EQ(Decrypt(bad, password_).status().code(), absl::StatusCode::kInvalidArgument);
  bad = good;
  bad.iv.push_back(0);
  EXPECT_EQ(Decrypt(bad, password_).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(EncryptedSecretTest, EveryFlippedBitIsFound) {
  const EncryptedSecret good = Make(std::vector<uint8_t>(33, 7));
  const auto refused = [&](const EncryptedSecret& bad) {
    return Decrypt(bad, password_).status().code() == absl::StatusCode::kInvalidArgument;
  };
  for (int bit = 0; bit < 8; ++bit) {
    for (size_t i = 0; i < good.ciphertext.size(); ++i) {
      EncryptedSecret bad = good;
      bad.ciphertext[i] ^= static_cast<uint8_t>(1 << bit);
      EXPECT_TRUE(refused(bad));
    }
    for (size_t i = 0; i < good.salt.size(); ++i) {
      EncryptedSecret bad = good;
      bad.salt[i] ^= static_cast<uint8_t>(1 << bit);
      EXPECT_TRUE(refused(bad));
    }
    for (size_t i = 0; i < good.checksum->data.size(); ++i) {
      EncryptedSecret bad = good;
      bad.checksum->data[i] ^= static_cast<uint8_t>(1 << bit);
      EXPECT_TRUE(refused(bad));
    }
  }
  EncryptedSecret bad = good;
  bad.ciphertext.pop_back();
  EXPECT_TRUE(refused(bad));
  bad = good;
  bad.cost = Pbkdf2Cost{.c = 2};
  EXPECT_TRUE(refused(bad));
}

TEST_F(EncryptedSecretTest, AWrongPasswordIsCalledSo) {
  const absl::Status status = Decrypt(Make(std::vector<uint8_t>(32)), MakePassword("wrong")).status();
  EXPECT_TRUE(absl::StrContains(status.message(), "wrong password")) << status;
}

TEST(KeyDerivation, CostsAreBoundedBeforeAnythingIsAllocated) {
  const Password password = MakePassword("x");
  const std::vector<uint8_t> salt(32);
  const uint64_t huge = uint64_t{1} << 63;
  const std::vector<DerivationCost> refused = {ScryptCost{.n = 0},
                                               ScryptCost{.n = 1},
                                               ScryptCost{.n = 3},
                                               ScryptCost{.n = 1 << 19},  // 512 MiB
                                               ScryptCost{.n = huge},
                                               ScryptCost{.n = 1 << 10, .r = 0},
                                               ScryptCost{.n = 1 << 10, .r = huge},
                                               ScryptCost{.n = 1 << 10, .r = 1025},
                                               ScryptCost{.n = 1 << 12, .r = 1024},
                                               ScryptCost{.n = 1 << 16, .r = 1},
                                               ScryptCost{.n = 1 << 10, .r = 8, .p = 0},
                                               ScryptCost{.n = 1 << 10, .r = 8, .p = 17},
                                               ScryptCost{.n = 1 << 10, .r = 8, .p = huge},
                                               Pbkdf2Cost{.c = 0},
                                               Pbkdf2Cost{.c = (1 << 24) + 1},
                                               Pbkdf2Cost{.c = huge},
                                               Argon2Cost{.t = 0},
                                               Argon2Cost{.t = 65},
                                               Argon2Cost{.t = 1, .m = (256 << 10) + 1},
                                               Argon2Cost{.t = 1, .m = huge},
                                               Argon2Cost{.t = 1, .m = 31, .p = 4},
                                               Argon2Cost{.t = 1, .m = 1024, .p = 0},
                                               Argon2Cost{.t = 1, .m = 1024, .p = 17}};
  for (const DerivationCost& cost : refused) {
    EXPECT_EQ(CheckCost(cost).code(), absl::StatusCode::kInvalidArgument) << cost.index();
    EXPECT_EQ(DeriveKey(password, cost, salt).status().code(), absl::StatusCode::kInvalidArgument);
  }
  for (const DerivationCost& cost : std::vector<DerivationCost>{ScryptCost{}, Pbkdf2Cost{}, ScryptCost{.n = 2, .r = 1},
                                                                ScryptCost{.n = 1 << 11, .r = 1024}}) {
    EXPECT_TRUE(CheckCost(cost).ok()) << CheckCost(cost);
  }
  EXPECT_TRUE(DeriveKey(password, ScryptCost{.n = 2, .r = 1024, .p = 16}, salt).ok())
      << "OpenSSL's own limit fits ours";
  EXPECT_FALSE(DeriveKey(password, kCheapCost, {}).ok());
  const Argon2Cost argon2 = {.t = 1, .m = 64, .p = 2};
  EXPECT_TRUE(DeriveKey(password, argon2, salt).ok());
  EXPECT_FALSE(DeriveKey(password, argon2, std::vector<uint8_t>(kMinArgon2SaltBytes - 1)).ok());
  EXPECT_FALSE(DeriveKey(password, kCheapCost, std::vector<uint8_t>(kMaxSaltBytes + 1)).ok());
}

}  // namespace
}  // namespace lean::validator
