#include "beacon/network/requests/block_requests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "beacon/network/engine/contract.h"
#include "beacon/network/engine/item_codec.h"
#include "common/clock/manual_clock.h"
#include "tests/beacon/network/plain_items.h"
#include "tests/common/process/captured_log.h"

namespace lean::beacon {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

class BlockRequestsTest : public testing::Test {
 protected:
  BlockRequestsTest() {
    peers_.Reset(1);
    EXPECT_TRUE(peers_.OnConnected(PeerNamed(1)).ok());
    peer_ = peers_.OfHandle(1).value();
  }
  void Ask() {
    requests_.Ask(
        peer_->id, {.roots = {}, .first_slot = 1, .count = 8},
        [this](absl::StatusOr<std::vector<SignedBlockPtr>> answer) { answers_.push_back(std::move(answer)); });
  }
  absl::Status Answered(uint64_t id, const std::vector<SignedBlockPtr>& blocks, v1::BlockAnswer::End end) {
    v1::BlockAnswer answer;
    answer.set_id(id);
    for (const SignedBlockPtr& block : blocks) answer.add_blocks(ssz::SerializeToString(*block));
    answer.set_end(end);
    return requests_.OnAnswer(answer);
  }

  ManualClock clock_{0};
  CapturedLog log_;
  Peers peers_{clock_, log_.logger(), [](uint64_t, const v1::BeaconToEngine&) {},
               [](const ClaimedChain&) { return false; }};
  PeerPtr peer_;
  std::vector<v1::BlockRequest> sent_;
  std::vector<absl::StatusOr<std::vector<SignedBlockPtr>>> answers_;
  BlockRequests requests_{[this](uint64_t, const v1::BeaconToEngine& message) { sent_.push_back(message.request()); },
                          peers_, clock_};
};

TEST_F(BlockRequestsTest, AnEngineThatDoesNotAnswerIsNotWaitedForForEver) {
  Ask();
  Ask();
  clock_.Advance(std::chrono::seconds(11));
  requests_.Tick(clock_.Steady());
  EXPECT_THAT(answers_, IsEmpty());
  clock_.Advance(std::chrono::seconds(2));
  requests_.Tick(clock_.Steady());
  ASSERT_THAT(answers_, SizeIs(2));
  EXPECT_TRUE(absl::IsDeadlineExceeded(answers_[0].status()));
  EXPECT_EQ(peers_.counts().Of(Offence::kUnresponsive), 1u) << "one cause is one offence";
  EXPECT_EQ(peer_->requests_open, 0u);
  EXPECT_TRUE(Answered(1, {}, v1::BlockAnswer::COMPLETE).ok()) << "too late";
}

TEST_F(BlockRequestsTest, AnAnswerOfMoreBytesThanTheContractHasIsTheEnginesFault) {
  Ask();
  const SignedBlockPtr large[] = {PlainBlock(1, 4096), PlainBlock(2, 4096), PlainBlock(3, 4096)};  // 12.8 MB each
  EXPECT_TRUE(Answered(1, {large[0], large[1]}, v1::BlockAnswer::MORE).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(Answered(1, {large[2]}, v1::BlockAnswer::MORE)));
}

TEST_F(BlockRequestsTest, ThereIsABoundOnWhatIsOpenAtOnce) {
  for (size_t i = 0; i < BlockRequests::kMostOpen; ++i) Ask();
  EXPECT_THAT(answers_, IsEmpty());
  Ask();
  ASSERT_THAT(answers_, SizeIs(1));
  EXPECT_TRUE(absl::IsResourceExhausted(answers_[0].status()));
  EXPECT_TRUE(Answered(1, {PlainBlock(1)}, v1::BlockAnswer::COMPLETE).ok());
  EXPECT_TRUE(answers_[1].ok());
  Ask();
  EXPECT_THAT(answers_, SizeIs(2));
  EXPECT_THAT(sent_, SizeIs(BlockRequests::kMostOpen + 1));
  EXPECT_EQ(peers_.counts().Of(Offence::kBadAnswer), 0u);
}

}  // namespace
}  // namespace lean::beacon
