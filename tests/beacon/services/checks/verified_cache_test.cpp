#include "beacon/services/checks/verified_cache.h"

#include <gtest/gtest.h>

#include "tests/beacon/services/numbered_root.h"

namespace lean::beacon {
namespace {

TEST(VerifiedCache, ForgetsWhatWasUsedLongestAgo) {
  VerifiedCache cache(2);
  cache.Insert(RootOf(1));
  cache.Insert(RootOf(2));
  EXPECT_TRUE(cache.Contains(RootOf(1)));
  cache.Insert(RootOf(3));
  EXPECT_TRUE(cache.Contains(RootOf(1)));
  EXPECT_FALSE(cache.Contains(RootOf(2)));
  EXPECT_TRUE(cache.Contains(RootOf(3)));
}

TEST(VerifiedCache, InsertingTwiceTakesOnePlace) {
  VerifiedCache cache(2);
  cache.Insert(RootOf(1));
  cache.Insert(RootOf(2));
  cache.Insert(RootOf(2));
  EXPECT_TRUE(cache.Contains(RootOf(1)));
}

TEST(VerifiedCache, TheKeyCoversValidatorMessageAndEveryByteOfTheSignature) {
  SignatureBytes signature;
  const Root key = VerifiedCache::Key(1, Root(), signature);
  EXPECT_EQ(VerifiedCache::Key(1, Root(), signature), key);
  EXPECT_NE(VerifiedCache::Key(2, Root(), signature), key);
  EXPECT_NE(VerifiedCache::Key(1, RootOf(1), signature), key);
  signature.data.back() = 1;
  EXPECT_NE(VerifiedCache::Key(1, Root(), signature), key);
}

}  // namespace
}  // namespace lean::beacon
