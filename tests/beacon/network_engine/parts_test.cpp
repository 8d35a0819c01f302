// The outbox to the engine, own items that are kept, and requests with an engine that does not answer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "beacon/network/gossip_codec.h"
#include "beacon/network_engine/block_requests.h"
#include "beacon/network_engine/engine_outbox.h"
#include "beacon/network_engine/own_items.h"
#include "common/clock/manual_clock.h"
#include "common/ssz/ssz.h"
#include "tests/common/process/captured_log.h"

namespace lean::beacon {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST(EngineOutboxTest, WhatIsShortGoesFirstAndTogether) {
  EngineOutbox outbox;
  outbox.AddAnswer(v1::BlockAnswer());
  for (size_t i = 0; i < EngineOutbox::kMaxVotesInMessage + 1; ++i) outbox.AddVote("vote");
  outbox.AddBlock("block");
  for (uint64_t id = 1; id <= EngineOutbox::kMaxVerdictsInMessage + 1; ++id) {
    outbox.AddVerdict(id, v1::Verdict::ACCEPT);
  }
  outbox.SetStatus(v1::ChainStatus());
  outbox.SetStatus(v1::ChainStatus());
  outbox.AddRequest(v1::BlockRequest());
  EXPECT_TRUE(outbox.Pop()->has_request());
  EXPECT_TRUE(outbox.Pop()->has_status());
  const std::optional<v1::BeaconToEngine> verdicts = outbox.Pop();
  EXPECT_EQ(verdicts->verdicts().verdicts_size(), static_cast<int>(EngineOutbox::kMaxVerdictsInMessage));
  EXPECT_EQ(verdicts->verdicts().verdicts(0).id(), 1u);
  EXPECT_EQ(outbox.Pop()->verdicts().verdicts_size(), 1);
  EXPECT_THAT(outbox.Pop()->publish().blocks(), ElementsAre("block"));
  EXPECT_EQ(outbox.Pop()->publish().votes_size(), static_cast<int>(EngineOutbox::kMaxVotesInMessage));
  EXPECT_EQ(outbox.Pop()->publish().votes_size(), 1);
  EXPECT_TRUE(outbox.Pop()->has_answer());
  EXPECT_FALSE(outbox.Pop().has_value());
}

TEST(EngineOutboxTest, CountsWhatWaits) {
  EngineOutbox outbox;
  v1::BlockAnswer answer;
  answer.add_blocks(std::string(size_t{1} << 20, 'x'));
  for (size_t i = 0; i < EngineOutbox::kMaxBytes >> 20; ++i) outbox.AddAnswer(answer);
  EXPECT_TRUE(outbox.is_full());
  EXPECT_GT(outbox.answer_bytes(), EngineOutbox::kMaxBytes);
  outbox.AddVote("vote");
  while (outbox.Pop().has_value()) {
  }
  EXPECT_EQ(outbox.answer_bytes(), 0u);
  EXPECT_FALSE(outbox.is_full());
}

TEST(OwnItemsTest, TheOldestGoFirst) {
  ManualClock clock{0};
  OwnItems items(std::chrono::seconds(8), 3);
  std::vector<SignedVotePtr> votes;
  for (int i = 0; i < 4; ++i) {
    votes.push_back(std::make_shared<SignedAttestation>());
    items.Add(votes.back(), clock.Steady());
    clock.Advance(std::chrono::seconds(1));
  }
  EXPECT_THAT(items.Votes(clock.Steady()), ElementsAre(votes[1], votes[2], votes[3]));
  clock.Advance(std::chrono::seconds(7));
  EXPECT_THAT(items.Votes(clock.Steady()), ElementsAre(votes[3]));
  EXPECT_THAT(items.Blocks(clock.Steady()), IsEmpty());
}

SignedBlockPtr BlockWithSignatures(uint64_t slot, size_t signatures) {
  auto block = std::make_shared<SignedBlockWithAttestation>();
  block->message.block.slot = slot;
  block->signature = BlockSignatures::FromVector(std::vector<SignatureBytes>(signatures)).value();
  return block;
}

class BlockRequestsTest : public testing::Test {
 protected:
  BlockRequestsTest() {
    peers_.Reset(1);
    const NamedPeer peer{.handle = 1, .peer_id = "a", .agent = "", .address = "", .chain = {}};
    EXPECT_TRUE(peers_.Add(peer).ok());
    peer_ = peers_.OfHandle(1).value();
  }
  void Ask() {
    requests_.Ask(
        peer_, {.roots = {}, .first_slot = 1, .count = 8},
        [this](absl::StatusOr<std::vector<SignedBlockPtr>> answer) { answers_.push_back(std::move(answer)); });
  }
  void Answer(uint64_t id, const std::vector<SignedBlockPtr>& blocks, v1::BlockAnswer::End end) {
    v1::BlockAnswer answer;
    answer.set_id(id);
    for (const SignedBlockPtr& block : blocks) answer.add_blocks(SerializeBlock(*block));
    answer.set_end(end);
    ASSERT_TRUE(requests_.OnAnswer(answer).ok());
  }

  ManualClock clock_{0};
  CapturedLog log_;
  EnginePeers peers_{RateLimits::For(4, 4000), clock_, log_.logger(),
                     [](const EnginePeer&, std::chrono::seconds, const std::string&) {}};
  EnginePeerPtr peer_;
  std::vector<v1::BlockRequest> sent_;
  std::vector<absl::StatusOr<std::vector<SignedBlockPtr>>> answers_;
  BlockRequests requests_{[this](uint64_t, v1::BlockRequest request) { sent_.push_back(std::move(request)); },
                          peers_,
                          clock_,
                          {.answer_bytes = 15'000, .held_bytes = 60'000}};
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
  EXPECT_EQ(peers_.offences(Offence::kUnresponsive), 1u) << "one cause is one offence";
  EXPECT_EQ(peer_->requests_open, 0u);
  Answer(1, {}, v1::BlockAnswer::COMPLETE);  // too late
}

TEST_F(BlockRequestsTest, WhatIsBeyondAnAnswersBytesIsLeftOut) {
  Ask();
  Answer(1, {BlockWithSignatures(1, 3), BlockWithSignatures(2, 3)}, v1::BlockAnswer::MORE);
  Answer(1, {BlockWithSignatures(3, 3)}, v1::BlockAnswer::MORE);
  Answer(1, {}, v1::BlockAnswer::COMPLETE);
  ASSERT_THAT(answers_, SizeIs(1));
  EXPECT_THAT(answers_[0].value(), SizeIs(1));
}

TEST_F(BlockRequestsTest, ThereIsABoundOnAllAnswersThatAreUnderWay) {
  for (int i = 0; i < 4; ++i) Ask();
  for (uint64_t id = 1; id <= 3; ++id) Answer(id, {BlockWithSignatures(1, 5)}, v1::BlockAnswer::MORE);
  EXPECT_THAT(answers_, IsEmpty());
  Answer(4, {BlockWithSignatures(1, 5)}, v1::BlockAnswer::MORE);
  ASSERT_THAT(answers_, SizeIs(1));
  EXPECT_TRUE(absl::IsResourceExhausted(answers_[0].status()));
  Answer(1, {}, v1::BlockAnswer::COMPLETE);
  EXPECT_TRUE(answers_[1].ok());
  EXPECT_EQ(peers_.offences(Offence::kBadAnswer), 0u);
}

}  // namespace
}  // namespace lean::beacon
