#include "beacon/network/peers/peer_score.h"

#include <gtest/gtest.h>

#include <string>

namespace lean::beacon {
namespace {

using std::chrono::seconds;

const SteadyTime kStart = SteadyTime() + std::chrono::hours(1);

TEST(PeerScores, OffencesAddUpAndTimeForgives) {
  PeerScores scores;
  EXPECT_EQ(scores.Of("a", kStart), 0);
  EXPECT_LE(scores.Add("malformed", Offence::kMalformed, kStart), PeerScores::kEndAt);
  EXPECT_GT(scores.Add("a", Offence::kInvalidItem, kStart), PeerScores::kEndAt);
  EXPECT_GT(scores.Add("a", Offence::kInvalidItem, kStart), PeerScores::kEndAt);
  EXPECT_LE(scores.Add("a", Offence::kInvalidItem, kStart), PeerScores::kEndAt);
  EXPECT_GT(scores.Of("a", kStart + seconds(60)), scores.Of("a", kStart));
  EXPECT_EQ(scores.Of("a", kStart + std::chrono::hours(1)), 0);
  EXPECT_EQ(scores.Of("b", kStart), 0);
}

TEST(PeerScores, WhoGoesOnIsKeptOutForLongerAndNobodyForEver) {
  PeerScores scores;
  scores.Add("a", Offence::kMalformed, kStart);
  EXPECT_EQ(scores.BanLeft("a", kStart), seconds(60));
  EXPECT_EQ(scores.BanLeft("a", kStart + seconds(20)), seconds(40));
  SteadyTime now = kStart + seconds(60);
  EXPECT_EQ(scores.BanLeft("a", now), seconds(0));
  seconds last(60);
  for (int i = 0; i < 20; ++i) {
    scores.Add("a", Offence::kMalformed, now);
    EXPECT_GE(scores.BanLeft("a", now), last);
    last = scores.BanLeft("a", now);
  }
  EXPECT_EQ(last, PeerScores::kLongestBan);
}

TEST(PeerScores, WhoWasNeverBannedMayReconnectWithAnyScore) {
  PeerScores scores;
  for (const Offence offence : {Offence::kBadAnswer, Offence::kLied, Offence::kUnresponsive}) {
    scores.Add("a", offence, kStart);
  }
  ASSERT_EQ(scores.Of("a", kStart), -90);
  EXPECT_EQ(scores.BanLeft("a", kStart), seconds(0));
  scores.Add("a", Offence::kLied, kStart);
  EXPECT_EQ(scores.BanLeft("a", kStart), seconds(110)) << "from -110 to -88";
  EXPECT_EQ(scores.BanLeft("a", kStart + seconds(110)), seconds(0));
}

TEST(PeerScores, AreBoundedAndForgetTheBest) {
  PeerScores scores;
  scores.Add("worst", Offence::kMalformed, kStart);
  for (size_t i = 0; i < 2 * PeerScores::kMost; ++i) scores.Add(std::to_string(i), Offence::kLied, kStart);
  EXPECT_EQ(scores.Of("worst", kStart), -100);
  size_t known = 0;
  for (size_t i = 0; i < 2 * PeerScores::kMost; ++i) known += scores.Of(std::to_string(i), kStart) < 0;
  EXPECT_EQ(known, PeerScores::kMost - 1);
}

TEST(PeerScores, EachOffenceHasAName) {
  for (const Offence offence : kOffences) EXPECT_NE(OffenceName(offence), "UNKNOWN");
}

}  // namespace
}  // namespace lean::beacon
