#include "beacon/services/checks/signature_memory.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "tests/beacon/services/support/chain_source.h"

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

using Answer = SignedOnce::Answer;

TEST(SignedOnce, LetsTwoThroughAndEachOfThemAgain) {
  SignedOnce once(4);
  EXPECT_EQ(once.Add(7, 2, RootOf(1), 7), Answer::kFirst);
  EXPECT_EQ(once.Add(7, 2, RootOf(1), 7), Answer::kFirst);
  EXPECT_FALSE(once.IsTooMany(7, 2, RootOf(2)));
  EXPECT_EQ(once.Add(7, 2, RootOf(2), 7), Answer::kSecond);
  EXPECT_EQ(once.Add(7, 2, RootOf(2), 7), Answer::kFirst) << "it is said once";
  EXPECT_TRUE(once.IsTooMany(7, 2, RootOf(3)));
  EXPECT_EQ(once.Add(7, 2, RootOf(3), 7), Answer::kTooMany);
  for (const uint8_t known : {1, 2}) EXPECT_FALSE(once.IsTooMany(7, 2, RootOf(known)));
  EXPECT_EQ(once.Add(7, 2, RootOf(1), 7), Answer::kFirst);
}

TEST(SignedOnce, ValidatorsAndSlotsDoNotTouchEachOther) {
  SignedOnce once(4);
  for (const uint8_t key : {1, 2}) once.Add(7, 2, RootOf(key), 7);
  EXPECT_FALSE(once.IsTooMany(7, 3, RootOf(3)));
  EXPECT_FALSE(once.IsTooMany(8, 2, RootOf(3)));
  EXPECT_EQ(once.Add(7, 3, RootOf(3), 7), Answer::kFirst);
  EXPECT_EQ(once.Add(8, 2, RootOf(3), 7), Answer::kFirst);
}

TEST(SignedOnce, AKeyOfZerosIsOneLikeOthers) {
  SignedOnce once(1);
  EXPECT_EQ(once.Add(1, 0, Root(), 1), Answer::kFirst);
  EXPECT_EQ(once.Add(1, 0, RootOf(2), 1), Answer::kSecond);
  EXPECT_EQ(once.Add(1, 0, RootOf(3), 1), Answer::kTooMany);
}

TEST(SignedOnce, ForgetsWhatIsOldAndTakesNoneOfIt) {
  SignedOnce once(4);
  for (uint64_t slot = 0; slot <= 1000; ++slot) {
    once.Add(slot, slot % 4, RootOf(1), static_cast<int64_t>(slot));
    EXPECT_LE(once.size(), static_cast<size_t>(SignedOnce::kSlots) + 1);
  }
  EXPECT_FALSE(SignedOnce::IsTooOld(1000 - SignedOnce::kSlots, 1000));
  EXPECT_TRUE(SignedOnce::IsTooOld(999 - SignedOnce::kSlots, 1000));
  EXPECT_EQ(once.Add(999 - SignedOnce::kSlots, 0, RootOf(1), 1000), Answer::kTooMany);
  EXPECT_FALSE(SignedOnce::IsTooOld(0, -5));
  EXPECT_FALSE(SignedOnce::IsTooOld(0, SignedOnce::kSlots));
}

TEST(SignedOnce, ManyThreadsGetTwoThrough) {
  SignedOnce once(1);
  std::atomic<int> firsts = 0;
  std::atomic<int> seconds = 0;
  std::vector<std::thread> threads;
  for (uint8_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (uint8_t i = 0; i < 50; ++i) {
        const Answer answer = once.Add(1, 0, RootOf(static_cast<uint8_t>(1 + thread * 50 + i)), 1);
        firsts += answer == Answer::kFirst;
        seconds += answer == Answer::kSecond;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(firsts, 1);
  EXPECT_EQ(seconds, 1);
}

}  // namespace

}  // namespace lean::beacon
