#include "beacon/network/engine/outbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace lean::beacon {
namespace {

using testing::ElementsAre;

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

}  // namespace
}  // namespace lean::beacon
