#include "beacon/services/verified_cache.h"

#include <gtest/gtest.h>

namespace lean::beacon {
namespace {

Root Key(uint8_t number) {
  Root key;
  key.data[0] = number;
  return key;
}

TEST(VerifiedCache, ForgetsWhatWasUsedLongestAgo) {
  VerifiedCache cache(2);
  cache.Insert(Key(1));
  cache.Insert(Key(2));
  EXPECT_TRUE(cache.Contains(Key(1)));
  cache.Insert(Key(3));
  EXPECT_TRUE(cache.Contains(Key(1)));
  EXPECT_FALSE(cache.Contains(Key(2)));
  EXPECT_TRUE(cache.Contains(Key(3)));
}

TEST(VerifiedCache, InsertingTwiceTakesOnePlace) {
  VerifiedCache cache(2);
  cache.Insert(Key(1));
  cache.Insert(Key(2));
  cache.Insert(Key(2));
  EXPECT_TRUE(cache.Contains(Key(1)));
}

TEST(VerifiedCache, TheKeyCoversValidatorMessageAndEveryByteOfTheSignature) {
  SignatureBytes signature;
  const Root key = VerifiedCache::Key(1, Root(), signature);
  EXPECT_EQ(VerifiedCache::Key(1, Root(), signature), key);
  EXPECT_NE(VerifiedCache::Key(2, Root(), signature), key);
  EXPECT_NE(VerifiedCache::Key(1, Key(1), signature), key);
  signature.data.back() = 1;
  EXPECT_NE(VerifiedCache::Key(1, Root(), signature), key);
}

}  // namespace
}  // namespace lean::beacon
