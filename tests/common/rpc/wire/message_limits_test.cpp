#include "common/rpc/wire/message_limits.h"

#include <string>

#include "common/rpc/wire/status.h"
#include "gmock/gmock.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "gtest/gtest.h"
#include "lean/v1/types.pb.h"
#include "lean/v1/validator.pb.h"

namespace lean::rpc {
namespace {

using ::testing::HasSubstr;

template <typename Message>
absl::Status Check(const std::string& bytes) {
  google::protobuf::io::ArrayInputStream stream(bytes.data(), static_cast<int>(bytes.size()), 1000);
  return CheckWireLimits(stream, *Message::descriptor());
}

// A field of the wire type LEN. The payload is shorter than 128 bytes.
std::string Delimited(int number, const std::string& payload) {
  return std::string{static_cast<char>(number << 3 | 2), static_cast<char>(payload.size())} + payload;
}

std::string Repeat(const std::string& text, size_t times) {
  std::string all;
  all.reserve(text.size() * times);
  for (size_t i = 0; i < times; ++i) all += text;
  return all;
}

v1::SubmitBlockRequest LargestBlock() {
  v1::SubmitBlockRequest request;
  v1::Attestation vote;
  vote.set_validator_index(4095);
  vote.mutable_data()->set_slot(1);
  for (v1::Checkpoint* checkpoint : {vote.mutable_data()->mutable_head(), vote.mutable_data()->mutable_target(),
                                     vote.mutable_data()->mutable_source()}) {
    checkpoint->set_root(std::string(32, 'r'));
    checkpoint->set_slot(1);
  }
  v1::SignedBlock& block = *request.mutable_block();
  *block.mutable_proposer_attestation() = vote;
  for (int i = 0; i < 4095; ++i) *block.mutable_block()->add_attestations() = vote;
  for (int i = 0; i < 4096; ++i) block.add_signatures(std::string(3116, 's'));
  return request;
}

TEST(WireLimitsTest, TheLargestBlockPasses) {
  EXPECT_TRUE(Check<v1::SubmitBlockRequest>(LargestBlock().SerializeAsString()).ok());
}

TEST(WireLimitsTest, AnEmptyMessagePasses) { EXPECT_TRUE(Check<v1::Block>("").ok()); }

TEST(WireLimitsTest, ManyEmptySubMessagesAreRefused) {
  const absl::Status status = Check<v1::Block>(Repeat(Delimited(5, ""), kMaxMessageFields + 1));
  EXPECT_EQ(ReasonOf(status), "MALFORMED_REQUEST");
  EXPECT_THAT(status.message(), HasSubstr("more than 100000 fields"));
  EXPECT_TRUE(Check<v1::Block>(Repeat(Delimited(5, ""), kMaxMessageFields)).ok());
}

TEST(WireLimitsTest, FieldsOfSubMessagesCount) {
  // 60,000 votes with one field each.
  EXPECT_FALSE(Check<v1::Block>(Repeat(Delimited(5, std::string("\x08\x01")), 60'000)).ok());
}

TEST(WireLimitsTest, UnknownFieldsCount) {
  EXPECT_FALSE(Check<v1::Block>(Repeat(std::string("\x78\x01"), kMaxMessageFields + 1)).ok());
}

TEST(WireLimitsTest, PackedNumbersCount) {
  v1::GetLivenessRequest request;
  for (uint64_t index = 0; index < 4096; ++index) request.add_indices(index);
  EXPECT_TRUE(Check<v1::GetLivenessRequest>(request.SerializeAsString()).ok());
  // A megabyte here is eight in memory.
  for (int i = 0; i < 1'000'000; ++i) request.add_indices(0);
  EXPECT_EQ(ReasonOf(Check<v1::GetLivenessRequest>(request.SerializeAsString())), "MALFORMED_REQUEST");
}

TEST(WireLimitsTest, BytesAreNotLookedInto) {
  v1::Block block;
  block.set_parent_root(Repeat(Delimited(5, ""), kMaxMessageFields + 1));
  EXPECT_TRUE(Check<v1::Block>(block.SerializeAsString()).ok());
}

class NotAMessageTest : public ::testing::TestWithParam<std::string> {};

TEST_P(NotAMessageTest, IsRefused) {
  const absl::Status status = Check<v1::Block>(GetParam());
  EXPECT_EQ(ReasonOf(status), "MALFORMED_REQUEST");
}

INSTANTIATE_TEST_SUITE_P(
    All, NotAMessageTest,
    ::testing::Values(std::string("\xff"),                                              // a tag that does not end
                      std::string("\x08"),                                              // a number that is missing
                      std::string("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),  // a number of 11 bytes
                      std::string("\x1a\x05\x61", 3),                                   // fewer bytes than announced
                      std::string("\x1a\xff\xff\xff\xff\x0f", 6),                       // a length over 2^31
                      std::string("\x2a\x03\x08\x01", 4),                               // the same for a sub-message
                      std::string("\x2a\x01\x08", 3),  // a sub-message cut within a field
                      std::string("\x0d\x01\x01", 3),  // fixed32 cut
                      std::string("\x09\x01\x01", 3),  // fixed64 cut
                      std::string("\x0b\x0c", 2),      // a group
                      std::string("\x0c", 1),          // the end of a group
                      std::string("\x0e\x01", 2),      // wire type 6
                      std::string("\x00\x01", 2)));    // field number 0

TEST(WireLimitsTest, WhatProtobufRefusesByDepthIsRefusedHere) {
  // google.protobuf.Struct nests in itself; none of our messages does.
  const google::protobuf::Descriptor* nested =
      google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName("google.protobuf.DescriptorProto");
  ASSERT_NE(nested, nullptr);
  std::string bytes;
  for (int depth = 1; depth < kMaxMessageDepth; ++depth) bytes = Delimited(3, bytes);
  google::protobuf::io::ArrayInputStream fits(bytes.data(), static_cast<int>(bytes.size()));
  EXPECT_TRUE(CheckWireLimits(fits, *nested).ok());
  bytes = Delimited(3, bytes);
  google::protobuf::io::ArrayInputStream too_deep(bytes.data(), static_cast<int>(bytes.size()));
  EXPECT_THAT(CheckWireLimits(too_deep, *nested).message(), HasSubstr("too deep"));
}

}  // namespace
}  // namespace lean::rpc
