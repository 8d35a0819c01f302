// The outbox to the engine, requests with an engine that does not answer, and what an answer may hold.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "beacon/network/engine/item_codec.h"
#include "beacon/network/engine/outbox.h"
#include "beacon/network/requests/asked_blocks.h"
#include "beacon/network/requests/block_requests.h"
#include "common/clock/manual_clock.h"
#include "common/ssz/ssz.h"
#include "tests/beacon/network/plain_items.h"
#include "tests/common/process/captured_log.h"

namespace lean::beacon {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

v1::BeaconToEngine VerdictOn(uint64_t id) {
  v1::BeaconToEngine message;
  message.mutable_verdicts()->add_verdicts()->set_id(id);
  return message;
}

v1::BeaconToEngine Votes(size_t count) {
  v1::BeaconToEngine message;
  for (size_t i = 0; i < count; ++i) message.mutable_publish()->add_votes("vote");
  return message;
}

v1::BeaconToEngine OwnBlock() {
  v1::BeaconToEngine message;
  message.mutable_publish()->add_blocks("block");
  return message;
}

v1::BeaconToEngine AnswerOf(size_t bytes) {
  v1::BeaconToEngine message;
  message.mutable_answer()->add_blocks(std::string(bytes, 'x'));
  return message;
}

v1::BeaconToEngine Status(uint64_t head) {
  v1::BeaconToEngine message;
  message.mutable_status()->mutable_head()->set_slot(head);
  return message;
}

TEST(OutboxTest, WhatIsShortGoesFirstAndTogether) {
  Outbox outbox;
  outbox.Push(AnswerOf(1));
  for (int i = 0; i < Outbox::kMaxVotesInMessage + 1; ++i) outbox.Push(Votes(1));
  outbox.Push(OwnBlock());
  for (uint64_t id = 1; id <= Outbox::kMaxVerdictsInMessage + 1; ++id) outbox.Push(VerdictOn(id));
  outbox.Push(Status(1));
  v1::BeaconToEngine request;
  request.mutable_request();
  outbox.Push(request);
  outbox.Push(Status(2));
  EXPECT_TRUE(outbox.Pop()->has_request());
  EXPECT_EQ(outbox.Pop()->status().head().slot(), 2u) << "the last one alone";
  const std::optional<v1::BeaconToEngine> verdicts = outbox.Pop();
  EXPECT_EQ(verdicts->verdicts().verdicts_size(), Outbox::kMaxVerdictsInMessage);
  EXPECT_EQ(verdicts->verdicts().verdicts(0).id(), 1u);
  EXPECT_EQ(outbox.Pop()->verdicts().verdicts_size(), 1);
  EXPECT_THAT(outbox.Pop()->publish().blocks(), ElementsAre("block"));
  EXPECT_EQ(outbox.Pop()->publish().votes_size(), Outbox::kMaxVotesInMessage);
  EXPECT_EQ(outbox.Pop()->publish().votes_size(), 1);
  EXPECT_TRUE(outbox.Pop()->has_answer());
  EXPECT_FALSE(outbox.Pop().has_value());
}

TEST(OutboxTest, CountsWhatWaits) {
  Outbox outbox;
  for (size_t i = 0; i < Outbox::kMaxBytes >> 20; ++i) outbox.Push(AnswerOf(size_t{1} << 20));
  EXPECT_TRUE(outbox.is_full());
  EXPECT_GT(outbox.answer_bytes(), Outbox::kMaxBytes);
  for (int i = 0; i < 3; ++i) {
    outbox.Push(Votes(200));
    outbox.Push(VerdictOn(1));
    outbox.Push(Status(1));
  }
  while (outbox.Pop().has_value()) {
  }
  EXPECT_EQ(outbox.answer_bytes(), 0u);
  EXPECT_FALSE(outbox.is_full());
  // Nothing is left counted: the same fits again, to the byte.
  for (size_t i = 0; i < Outbox::kMaxBytes >> 21; ++i) outbox.Push(AnswerOf(size_t{1} << 20));
  EXPECT_FALSE(outbox.is_full());
}

TEST(AskedBlocksTest, AnAnswerHoldsWhatWasAskedFor) {
  const AskedBlocks range{.roots = {}, .first_slot = 2, .count = 3};
  EXPECT_TRUE(CheckAnswered(range, {PlainBlock(2), PlainBlock(3), PlainBlock(4)}).ok());
  EXPECT_TRUE(CheckAnswered(range, {}).ok());
  EXPECT_FALSE(CheckAnswered(range, {PlainBlock(1)}).ok());
  EXPECT_FALSE(CheckAnswered(range, {PlainBlock(5)}).ok());
  EXPECT_FALSE(CheckAnswered(range, {PlainBlock(3), PlainBlock(2)}).ok());
  EXPECT_FALSE(CheckAnswered(range, {PlainBlock(3), PlainBlock(3)}).ok());
  EXPECT_FALSE(CheckAnswered(range, {PlainBlock(2), PlainBlock(3), PlainBlock(4), PlainBlock(4)}).ok());
  const auto root = [](uint64_t slot) { return ssz::HashTreeRoot(PlainBlock(slot)->message.block); };
  const AskedBlocks roots{.roots = {root(1), root(2)}};
  EXPECT_TRUE(CheckAnswered(roots, {PlainBlock(2), PlainBlock(1)}).ok());
  EXPECT_FALSE(CheckAnswered(roots, {PlainBlock(3)}).ok());
  EXPECT_FALSE(CheckAnswered(roots, {PlainBlock(1), PlainBlock(1)}).ok());
}

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
    for (const SignedBlockPtr& block : blocks) answer.add_blocks(SerializeItem(*block));
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
