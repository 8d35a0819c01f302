#include "beacon/rpc/callers/vote_screening.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/clock/manual_clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace lean::beacon {
namespace {

using rpc::Caller;
using ::testing::SizeIs;

class VoteScreeningTest : public ::testing::Test {
 protected:
  static constexpr std::chrono::milliseconds kSlot{4000};
  static constexpr size_t kValidators = 800;
  static constexpr size_t kBadVotes = VoteScreening::kLeastBadVotes + kValidators / 8;

  static Caller Connection(int port) {
    return {.host = "ipv4:127.0.0.1", .connection = "ipv4:127.0.0.1:" + std::to_string(port)};
  }

  // Votes whose signatures are right when their validators' indices are even.
  static std::vector<SignedVotePtr> Votes(size_t count, bool right) {
    std::vector<SignedVotePtr> votes;
    for (size_t i = 0; i < count; ++i) {
      auto vote = std::make_shared<SignedAttestation>();
      vote->message.validator_id = 2 * i + (right ? 0 : 1);
      votes.push_back(std::move(vote));
    }
    return votes;
  }

  struct Submitted {
    std::vector<SignedVotePtr> votes;
    VoteScreening::Done done;
  };

  // Answers what the chain was given first.
  void Answer() {
    ASSERT_FALSE(submitted_.empty());
    const Submitted first = std::move(submitted_.front());
    submitted_.erase(submitted_.begin());
    looked_at_ += first.votes.size();
    VoteScreening::Outcomes outcomes;
    for (const SignedVotePtr& vote : first.votes) {
      const bool right = vote->message.validator_id % 2 == 0;
      outcomes.push_back({.status = right ? SubmitOutcome::kAccepted : SubmitOutcome::kRefused,
                          .reason = right ? "" : std::string(reason::kBadSignature),
                          .message = "",
                          .root = {},
                          .new_signature = right});
    }
    first.done(std::move(outcomes));
  }
  void AnswerAll() {
    while (!submitted_.empty()) Answer();
  }

  // The outcomes' place, filled once they are there.
  std::shared_ptr<VoteScreening::Outcomes> Submit(int port, std::vector<SignedVotePtr> votes) {
    auto place = std::make_shared<VoteScreening::Outcomes>();
    screening_->SubmitVotes(Connection(port), std::move(votes),
                            [place](VoteScreening::Outcomes outcomes) { *place = std::move(outcomes); });
    return place;
  }

  static size_t CountStatus(const VoteScreening::Outcomes& outcomes, SubmitOutcome::Status status) {
    return static_cast<size_t>(
        std::count_if(outcomes.begin(), outcomes.end(), [&](const auto& outcome) { return outcome.status == status; }));
  }

  ManualClock clock_{0};
  std::vector<Submitted> submitted_;
  size_t looked_at_ = 0;
  std::shared_ptr<CallerBook> callers_ = std::make_shared<CallerBook>(clock_, kSlot, kValidators);
  std::shared_ptr<VoteScreening> screening_ = std::make_shared<VoteScreening>(
      [this](std::vector<SignedVotePtr> votes, VoteScreening::Done done) {
        submitted_.push_back({std::move(votes), std::move(done)});
      },
      callers_, clock_, kSlot, kValidators);
};

TEST_F(VoteScreeningTest, AnUnknownCallerShowsAPieceAndIsGoodThen) {
  const auto outcomes = Submit(1, Votes(500, true));
  ASSERT_THAT(submitted_, SizeIs(1));
  EXPECT_THAT(submitted_[0].votes, SizeIs(VoteScreening::kPiece));
  Answer();
  ASSERT_THAT(submitted_, SizeIs(1));
  EXPECT_THAT(submitted_[0].votes, SizeIs(500 - VoteScreening::kPiece));
  Answer();
  ASSERT_THAT(*outcomes, SizeIs(500));
  EXPECT_EQ(CountStatus(*outcomes, SubmitOutcome::kAccepted), 500u);
  Submit(1, Votes(500, true));
  EXPECT_THAT(submitted_[0].votes, SizeIs(500));
}

TEST_F(VoteScreeningTest, OfWrongVotesAPartIsLookedAtEachSlot) {
  std::vector<std::shared_ptr<VoteScreening::Outcomes>> all;
  for (int port = 1; port <= 6; ++port) all.push_back(Submit(port, Votes(4096, false)));
  AnswerAll();
  for (const auto& outcomes : all) {
    ASSERT_THAT(*outcomes, SizeIs(4096));
    EXPECT_GT(CountStatus(*outcomes, SubmitOutcome::kOverloaded), 3800u);
  }
  EXPECT_EQ(looked_at_, 6 * VoteScreening::kPiece + kBadVotes);
  // Nothing more in this slot.
  Submit(1, Votes(4096, false));
  EXPECT_THAT(submitted_, SizeIs(0));
  clock_.Advance(kSlot);
  Submit(1, Votes(4096, false));
  EXPECT_THAT(submitted_, SizeIs(1));
}

TEST_F(VoteScreeningTest, WrongVotesHoldUpNeitherGoodCallersNorNewOnes) {
  callers_->Count(Connection(100), 1, 0);
  for (int port = 1; port <= 6; ++port) Submit(port, Votes(4096, false));
  ASSERT_THAT(submitted_, SizeIs(1));  // one piece, whatever waits
  // A good caller's go beside it at once.
  const auto good = Submit(100, Votes(300, true));
  ASSERT_THAT(submitted_, SizeIs(2));
  EXPECT_THAT(submitted_[1].votes, SizeIs(300));
  // A new one's wait for a piece of each other one at most.
  const auto honest = Submit(101, Votes(300, true));
  for (int turn = 0; turn < 9; ++turn) Answer();
  EXPECT_THAT(*good, SizeIs(300));
  EXPECT_THAT(*honest, SizeIs(300));
  EXPECT_EQ(CountStatus(*honest, SubmitOutcome::kAccepted), 300u);
}

TEST_F(VoteScreeningTest, ACallerWithMoreRightVotesThanWrongOnesLosesNone) {
  auto votes = Votes(100, true);
  votes[3] = Votes(1, false)[0];
  const auto outcomes = Submit(1, std::move(votes));
  AnswerAll();
  ASSERT_THAT(*outcomes, SizeIs(100));
  EXPECT_EQ(CountStatus(*outcomes, SubmitOutcome::kAccepted), 99u);
  EXPECT_EQ((*outcomes)[3].status, SubmitOutcome::kRefused);
}

TEST_F(VoteScreeningTest, AChainThatTakesNothingEndsTheCallAtOnce) {
  const auto outcomes = Submit(1, Votes(100, true));
  submitted_[0].done(VoteScreening::Outcomes(
      VoteScreening::kPiece,
      {.status = SubmitOutcome::kStorageFailed, .reason = "STORAGE_FAILED", .message = "", .root = {}}));
  ASSERT_THAT(*outcomes, SizeIs(100));
  EXPECT_EQ(CountStatus(*outcomes, SubmitOutcome::kStorageFailed), 100u);
}

TEST_F(VoteScreeningTest, WhatWaitsIsBounded) {
  std::vector<std::shared_ptr<VoteScreening::Outcomes>> all;
  for (int port = 0; port < 1000; ++port) all.push_back(Submit(port, Votes(10, false)));
  size_t answered = 0;
  for (const auto& outcomes : all) answered += outcomes->empty() ? 0 : 1;
  EXPECT_GT(answered, 900u);
  AnswerAll();
  for (const auto& outcomes : all) EXPECT_THAT(*outcomes, SizeIs(10));
}

TEST_F(VoteScreeningTest, AfterStopNothingIsHandedOn) {
  Submit(1, Votes(100, true));
  Submit(2, Votes(100, true));
  screening_->Stop();
  AnswerAll();
  EXPECT_EQ(looked_at_, VoteScreening::kPiece);
}

}  // namespace
}  // namespace lean::beacon
