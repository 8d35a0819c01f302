#include "beacon/services/admission.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace lean::beacon {
namespace {

constexpr AdmissionLimits kLimits{.total = {100, 1000}, .peers = {80, 800}, .one_peer = {50, 500}};

TEST(Admission, OneOriginMayHaveAll) {
  Admission admission(kLimits);
  EXPECT_TRUE(admission.TryAcquire(Origin::Local(), {100, 1000}));
  EXPECT_FALSE(admission.TryAcquire(Origin::Local(), {1, 0}));
  EXPECT_FALSE(admission.TryAcquire(Origin::Local(), {0, 1}));
  EXPECT_FALSE(admission.TryAcquire(Origin::Peer(1), {1, 1}));
  admission.Release(Origin::Local(), {100, 1000});
  EXPECT_TRUE(admission.TryAcquire(Origin::Peer(1), {1, 1}));
  EXPECT_EQ(admission.used().items, 1u);
  EXPECT_EQ(admission.used().bytes, 1u);
}

TEST(Admission, APeerHasNoMoreThanItsShare) {
  Admission admission(kLimits);
  EXPECT_FALSE(admission.TryAcquire(Origin::Peer(1), {51, 1}));
  EXPECT_FALSE(admission.TryAcquire(Origin::Peer(1), {1, 501}));
  EXPECT_TRUE(admission.TryAcquire(Origin::Peer(1), {50, 1}));
  EXPECT_FALSE(admission.TryAcquire(Origin::Peer(1), {1, 1}));
  EXPECT_TRUE(admission.TryAcquire(Origin::Peer(2), {1, 500}));
  EXPECT_FALSE(admission.TryAcquire(Origin::Peer(2), {1, 1}));
}

TEST(Admission, AllPeersLeaveSomethingToOurOwn) {
  Admission admission(kLimits);
  EXPECT_TRUE(admission.TryAcquire(Origin::Peer(1), {50, 50}));
  EXPECT_FALSE(admission.TryAcquire(Origin::Peer(2), {31, 50}));
  EXPECT_TRUE(admission.TryAcquire(Origin::Peer(2), {30, 50}));
  EXPECT_FALSE(admission.TryAcquire(Origin::Peer(3), {1, 1}));
  EXPECT_TRUE(admission.TryAcquire(Origin::Local(), {20, 900}));
  admission.Release(Origin::Peer(2), {30, 50});
  EXPECT_FALSE(admission.TryAcquire(Origin::Peer(3), {1, 51})) << "our own took those bytes";
  admission.Release(Origin::Local(), {20, 900});
  EXPECT_TRUE(admission.TryAcquire(Origin::Peer(3), {30, 51}));
}

TEST(Admission, ManyThreadsReturnWhatTheyTook) {
  Admission admission(kLimits);
  std::vector<std::thread> threads;
  for (uint64_t peer = 0; peer < 4; ++peer) {
    threads.emplace_back([&admission, peer] {
      for (int i = 0; i < 1000; ++i) {
        if (admission.TryAcquire(Origin::Peer(peer), {30, 300})) admission.Release(Origin::Peer(peer), {30, 300});
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(admission.used().items, 0u);
  EXPECT_TRUE(admission.TryAcquire(Origin::Local(), {100, 1000}));
}

}  // namespace
}  // namespace lean::beacon
