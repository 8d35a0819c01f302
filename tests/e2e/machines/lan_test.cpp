#include "tests/e2e/machines/lan.h"

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace lean::machines {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr uint8_t kEverybody = 0xff;

// A frame from machine to machine, each named by one byte, with one byte of content.
std::vector<uint8_t> Frame(uint8_t to, uint8_t from, uint8_t content = 0) {
  std::vector<uint8_t> frame(15);
  std::fill_n(frame.begin(), 6, to == kEverybody ? 0xff : 0x02);
  std::fill_n(frame.begin() + 6, 6, 0x02);
  frame[5] = to;
  frame[11] = from;
  frame[14] = content;
  return frame;
}

class LanTest : public testing::Test {
 protected:
  // Ports of what has come out by `now`, in order.
  std::vector<size_t> PortsOut(Lan::Time now) {
    std::vector<size_t> ports;
    while (const auto delivery = lan_.Pop(now)) ports.push_back(delivery->port);
    return ports;
  }

  Lan lan_{7};
  const size_t a_ = lan_.AddPort("wan");
  const size_t b_ = lan_.AddPort("wan");
  const size_t c_ = lan_.AddPort("wan");
  const size_t other_ = lan_.AddPort("home");
  const Lan::Time start_ = Lan::Time(std::chrono::hours(1));
};

TEST_F(LanTest, FloodsItsOwnLanUntilItHasLearned) {
  lan_.Accept(a_, Frame(2, 1), start_);
  EXPECT_THAT(PortsOut(start_), UnorderedElementsAre(b_, c_));
  lan_.Accept(b_, Frame(1, 2), start_);
  EXPECT_THAT(PortsOut(start_), ElementsAre(a_));
  lan_.Accept(a_, Frame(2, 1), start_);
  EXPECT_THAT(PortsOut(start_), ElementsAre(b_));
  lan_.Accept(a_, Frame(kEverybody, 1), start_);
  EXPECT_THAT(PortsOut(start_), UnorderedElementsAre(b_, c_));
}

TEST_F(LanTest, AnAddressOfAnotherLanIsUnknown) {
  lan_.Accept(other_, Frame(kEverybody, 1), start_);
  EXPECT_THAT(PortsOut(start_), IsEmpty());
  lan_.Accept(a_, Frame(1, 2), start_);
  EXPECT_THAT(PortsOut(start_), UnorderedElementsAre(b_, c_));
}

TEST_F(LanTest, AFrameWithoutHeaderGoesNowhere) {
  lan_.Accept(a_, std::vector<uint8_t>(13, 0xff), start_);
  EXPECT_EQ(lan_.NextDue(), std::nullopt);
}

TEST_F(LanTest, DelaysWithinTheJitterAndKeepsTheOrder) {
  lan_.Impair(a_, b_, {.delay = milliseconds(50), .jitter = milliseconds(20)});
  lan_.Block(a_, c_, true);
  Lan::Time last = start_;
  microseconds least = milliseconds(100);
  microseconds most{0};
  for (uint8_t i = 0; i < 200; ++i) {
    // Far enough apart that no frame waits for the one before it.
    const Lan::Time sent = start_ + i * milliseconds(100);
    lan_.Accept(a_, Frame(2, 1), sent);
    const Lan::Time due = lan_.NextDue().value();
    EXPECT_FALSE(lan_.Pop(due - microseconds(1)).has_value());
    EXPECT_TRUE(lan_.Pop(due).has_value());
    least = std::min(least, std::chrono::duration_cast<microseconds>(due - sent));
    most = std::max(most, std::chrono::duration_cast<microseconds>(due - sent));
    last = due;
  }
  EXPECT_GE(least, milliseconds(30));
  EXPECT_LT(least, milliseconds(35));
  EXPECT_LE(most, milliseconds(70));
  EXPECT_GT(most, milliseconds(65));

  for (uint8_t i = 0; i < 100; ++i) lan_.Accept(a_, Frame(2, 1, i), last);
  for (uint8_t i = 0; i < 100; ++i) EXPECT_EQ(lan_.Pop(last + milliseconds(70)).value().frame.back(), i);
}

TEST_F(LanTest, LosesTheShareThatItIsTold) {
  lan_.Impair(a_, b_, {.loss_ppm = 20'000});
  lan_.Block(a_, c_, true);
  for (int i = 0; i < 50'000; ++i) {
    lan_.Accept(a_, Frame(2, 1), start_);
    lan_.Pop(start_);
  }
  // Seven standard deviations around 1000.
  EXPECT_GT(lan_.counters().lost, 780u);
  EXPECT_LT(lan_.counters().lost, 1220u);
  EXPECT_EQ(lan_.counters().lost + lan_.counters().delivered, 50'000u);
}

TEST_F(LanTest, NothingPassesABlockedLinkNorWhatWasOnItsWay) {
  lan_.Impair(a_, b_, {.delay = milliseconds(50)});
  lan_.Accept(a_, Frame(kEverybody, 1), start_);
  lan_.Block(a_, b_, true);
  lan_.Accept(b_, Frame(1, 2), start_);
  EXPECT_THAT(PortsOut(start_ + milliseconds(50)), ElementsAre(c_));
  EXPECT_EQ(lan_.counters().blocked, 2u);
  lan_.Block(a_, b_, false);
  lan_.Accept(b_, Frame(1, 2), start_);
  EXPECT_THAT(PortsOut(start_ + milliseconds(50)), ElementsAre(a_));
}

TEST_F(LanTest, ALinkHoldsSoManyFrames) {
  lan_.Impair(a_, b_, {.delay = milliseconds(50)});
  lan_.Block(a_, c_, true);
  for (size_t i = 0; i < Lan::kLinkFrames + 5; ++i) lan_.Accept(a_, Frame(2, 1), start_);
  EXPECT_EQ(lan_.counters().full, 5u);
  EXPECT_EQ(PortsOut(start_ + milliseconds(50)).size(), Lan::kLinkFrames);
}

}  // namespace
}  // namespace lean::machines
