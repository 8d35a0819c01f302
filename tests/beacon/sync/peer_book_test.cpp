#include "beacon/sync/peer_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace lean::beacon {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

PeerInfo Peer(uint64_t id, uint64_t head_slot, uint8_t finalized = 1) {
  PeerInfo peer;
  peer.id = id;
  peer.head.slot = head_slot;
  peer.head.root.data[0] = static_cast<uint8_t>(head_slot);
  peer.finalized.root.data[0] = finalized;
  return peer;
}

std::vector<uint64_t> Ids(const std::vector<PeerInfo>& peers) {
  std::vector<uint64_t> ids;
  for (const PeerInfo& peer : peers) ids.push_back(peer.id);
  return ids;
}

class PeerBookTest : public testing::Test {
 protected:
  PeerBook book_{{.requests_per_peer = 2, .disbelief = milliseconds(1000), .max_doublings = 2}, 1};
  SteadyTime now_{};
};

TEST_F(PeerBookTest, ClaimsBeyondTheClockAreNotBelieved) {
  PeerInfo inconsistent = Peer(4, 5);
  inconsistent.finalized.slot = 6;
  book_.Update({Peer(1, 11), Peer(2, 12), Peer(3, UINT64_MAX), inconsistent}, 10, now_);
  EXPECT_THAT(Ids(book_.believed()), ElementsAre(1));
  EXPECT_THAT(Ids(book_.linked()), ElementsAre(1, 2, 3, 4));
  book_.Update({Peer(1, 0)}, -1, now_);
  EXPECT_THAT(Ids(book_.believed()), ElementsAre(1));
  book_.Update({Peer(1, 0)}, -5, now_);
  EXPECT_THAT(book_.believed(), IsEmpty());
}

TEST_F(PeerBookTest, WhoAgreesWithMostComesFirstThenTheIdle) {
  book_.Update({Peer(1, 9, 2), Peer(2, 9), Peer(3, 9), Peer(4, 8)}, 10, now_);
  EXPECT_THAT(Ids(book_.believed()), ElementsAre(testing::AnyOf(2, 3), testing::AnyOf(2, 3), testing::_, testing::_));
  book_.Asked(2);
  book_.Update({Peer(1, 9, 2), Peer(2, 9), Peer(3, 9)}, 10, now_);
  EXPECT_THAT(Ids(book_.believed()), ElementsAre(3, 2, 1));
  book_.Answered(2, milliseconds(100));
  book_.Asked(3);
  book_.Answered(3, milliseconds(400));
  book_.Update({Peer(1, 9, 2), Peer(2, 9), Peer(3, 9)}, 10, now_);
  EXPECT_THAT(Ids(book_.believed()), ElementsAre(2, 3, 1));
}

TEST_F(PeerBookTest, DisbeliefLastsTwiceAsLongEachTimeAndIsForgottenWithThePeer) {
  const auto believed_after = [&](milliseconds wait) {
    now_ += wait;
    book_.Update({Peer(1, 5)}, 10, now_);
    return !book_.believed().empty();
  };
  book_.Update({Peer(1, 5)}, 10, now_);
  for (const int length : {1000, 2000, 4000, 4000}) {
    book_.Disbelieve(1, now_);
    EXPECT_THAT(book_.believed(), IsEmpty());
    EXPECT_FALSE(believed_after(milliseconds(length - 1)));
    EXPECT_TRUE(believed_after(milliseconds(1)));
  }
  book_.Disbelieve(1, now_);
  book_.Update({}, 10, now_);
  EXPECT_TRUE(believed_after(milliseconds(0)));
  book_.Disbelieve(7, now_);  // gone
}

TEST_F(PeerBookTest, DisbeliefIsShortAgainAfterALongCalm) {
  book_.Update({Peer(1, 5)}, 10, now_);
  const auto length_of_disbelief = [&] {
    book_.Disbelieve(1, now_);
    const SteadyTime begin = now_;
    do {
      now_ += milliseconds(1000);
      book_.Update({Peer(1, 5)}, 10, now_);
    } while (book_.believed().empty());
    return std::chrono::duration_cast<milliseconds>(now_ - begin);
  };
  for (const int length : {1000, 2000, 4000}) EXPECT_EQ(length_of_disbelief(), milliseconds(length));
  now_ += milliseconds(2 * 4000);
  EXPECT_EQ(length_of_disbelief(), milliseconds(2000)) << "the third strike and one before it are forgiven";
  now_ += std::chrono::hours(100);
  EXPECT_EQ(length_of_disbelief(), milliseconds(1000));
}

TEST_F(PeerBookTest, RequestsThatFailTogetherCountOnce) {
  book_.Update({Peer(1, 5)}, 10, now_);
  book_.Disbelieve(1, now_);
  now_ += milliseconds(999);
  book_.Disbelieve(1, now_);
  now_ += milliseconds(1);
  book_.Update({Peer(1, 5)}, 10, now_);
  EXPECT_THAT(book_.believed(), SizeIs(1));
  book_.Disbelieve(1, now_);
  now_ += milliseconds(2000);
  book_.Update({Peer(1, 5)}, 10, now_);
  EXPECT_THAT(book_.believed(), SizeIs(1)) << "the second time, not the third";
}

TEST_F(PeerBookTest, RequestsToAPeerAreBoundedAndPaused) {
  book_.Update({Peer(1, 5)}, 10, now_);
  EXPECT_FALSE(book_.MayAsk(2, now_));
  book_.Asked(1);
  EXPECT_TRUE(book_.MayAsk(1, now_));
  book_.Asked(1);
  EXPECT_FALSE(book_.MayAsk(1, now_));
  book_.Answered(1, milliseconds(1));
  EXPECT_TRUE(book_.MayAsk(1, now_));
  book_.Pause(1, now_);
  EXPECT_FALSE(book_.MayAsk(1, now_));
  EXPECT_TRUE(book_.MayAsk(1, now_ + milliseconds(500)));
}

}  // namespace
}  // namespace lean::beacon
