#include "common/crypto/signature_scheme.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/common/crypto/xmss/keys/test_keys.h"

namespace lean::crypto {
namespace {

using ::testing::HasSubstr;
using xmss::MakeKey;
using xmss::MessageOf;

class SignatureSchemeTest : public testing::Test {
 protected:
  static SignatureScheme NetworkScheme(uint32_t log_lifetime) {
    NetworkSpec spec;
    spec.xmss_log_lifetime = log_lifetime;
    return *SignatureScheme::Create(spec);
  }

  const SignatureScheme scheme_ = NetworkScheme(8);
  const xmss::SecretKey key_ = *MakeKey(scheme_.xmss(), {0, 32}, 1);
  const PublicKeyBytes public_key_ = *scheme_.PublicKeyOf(key_);
  const Root message_ = MessageOf(1);
  const SignatureBytes signature_ = *scheme_.Sign(key_, 3, message_);
};

TEST_F(SignatureSchemeTest, KnowsOnlyItsLifetimes) {
  NetworkSpec spec;
  spec.xmss_log_lifetime = 18;
  EXPECT_EQ(SignatureScheme::Create(spec).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(SignatureSchemeTest, VerifiesWhatItSigned) {
  EXPECT_TRUE(scheme_.Verify(public_key_, 3, message_, signature_).ok());
  EXPECT_EQ(*scheme_.Sign(key_, 3, message_), signature_) << "deterministic";
  EXPECT_TRUE(scheme_.CheckPublicKey(public_key_).ok());
}

TEST_F(SignatureSchemeTest, RefusesEveryOtherSlotMessageKeyAndSignature) {
  EXPECT_THAT(scheme_.Verify(public_key_, 4, message_, signature_).message(), HasSubstr("not one of this message"));
  EXPECT_FALSE(scheme_.Verify(public_key_, 3, MessageOf(2), signature_).ok());
  EXPECT_THAT(scheme_.Verify(public_key_, 256 + 3, message_, signature_).message(), HasSubstr("lifetime"));
  EXPECT_FALSE(scheme_.Verify(public_key_, uint64_t{1} << 63, message_, signature_).ok());
  for (size_t i = 0; i < signature_.data.size(); ++i) {
    SignatureBytes changed = signature_;
    changed.data[i] ^= 1;
    EXPECT_FALSE(scheme_.Verify(public_key_, 3, message_, changed).ok()) << "byte " << i;
  }
  for (size_t i = 0; i < public_key_.data.size(); ++i) {
    PublicKeyBytes changed = public_key_;
    changed.data[i] ^= 1;
    EXPECT_FALSE(scheme_.Verify(changed, 3, message_, signature_).ok()) << "byte " << i;
  }
  SignatureBytes all_ones;
  all_ones.data.fill(0xff);
  EXPECT_THAT(scheme_.Verify(public_key_, 3, message_, all_ones).message(), HasSubstr("modulus"));
  EXPECT_FALSE(scheme_.Verify(public_key_, 3, message_, SignatureBytes{}).ok());
  PublicKeyBytes bad_key;
  bad_key.data.fill(0xff);
  EXPECT_THAT(scheme_.Verify(bad_key, 3, message_, signature_).message(), HasSubstr("modulus"));
  EXPECT_FALSE(scheme_.CheckPublicKey(bad_key).ok());
}

TEST_F(SignatureSchemeTest, JudgesEachItemOfABatchAsAlone) {
  const xmss::SecretKey other = *MakeKey(scheme_.xmss(), {0, 32}, 2);
  const PublicKeyBytes other_key = *scheme_.PublicKeyOf(other);
  std::vector<SignatureBytes> signatures(40);
  std::vector<VerificationItem> items;
  for (size_t i = 0; i < signatures.size(); ++i) {
    const bool is_other = i % 3 == 0;
    const uint64_t slot = i % 32;
    signatures[i] = *scheme_.Sign(is_other ? other : key_, slot, MessageOf(static_cast<uint8_t>(i)));
    if (i % 5 == 0) signatures[i].data[11 * i] ^= 0x10;
    if (i % 13 == 0) signatures[i].data[3115] = 1;
    items.push_back({.public_key = is_other ? &other_key : &public_key_,
                     .slot = i % 7 == 0 ? slot + 1 : slot,
                     .message = MessageOf(static_cast<uint8_t>(i)),
                     .signature = &signatures[i]});
  }
  const std::vector<absl::Status> results = scheme_.VerifyBatch(items);
  ASSERT_EQ(results.size(), items.size());
  size_t good = 0;
  for (size_t i = 0; i < items.size(); ++i) {
    const absl::Status alone =
        scheme_.Verify(*items[i].public_key, items[i].slot, items[i].message, *items[i].signature);
    EXPECT_EQ(results[i], alone) << "item " << i;
    EXPECT_EQ(results[i].ok(), i % 5 != 0 && i % 7 != 0 && i % 13 != 0) << "item " << i;
    good += results[i].ok() ? 1 : 0;
  }
  EXPECT_GT(good, 20u);
  EXPECT_TRUE(scheme_.VerifyBatch({}).empty());
}

TEST_F(SignatureSchemeTest, RefusesAKeyOfAnotherScheme) {
  const SignatureScheme other = NetworkScheme(16);
  EXPECT_EQ(other.Sign(key_, 3, message_).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(other.PublicKeyOf(key_).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(scheme_.Sign(key_, 40, message_).status().code(), absl::StatusCode::kOutOfRange);
}

}  // namespace
}  // namespace lean::crypto
