#include "common/rpc/wire/status.h"

#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"

namespace lean::rpc {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(StatusTest, ReasonAndMetadataCrossTheWire) {
  const absl::Status sent = MakeError(absl::StatusCode::kFailedPrecondition, "WRONG_SLOT", "slot 3 is over",
                                      {{"requested", "3"}, {"current", "4"}});
  const grpc::Status wire = ToGrpcStatus(sent);
  EXPECT_EQ(wire.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(wire.error_message(), "slot 3 is over");

  const absl::Status received = FromGrpcStatus(wire);
  EXPECT_EQ(received.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(received.message(), "slot 3 is over");
  EXPECT_EQ(ReasonOf(received), "WRONG_SLOT");
  EXPECT_THAT(MetadataOf(received), ElementsAre(Pair("current", "4"), Pair("requested", "3")));
}

TEST(StatusTest, DetailsAreAGoogleRpcStatus) {
  google::rpc::Status details;
  ASSERT_TRUE(details.ParseFromString(ToGrpcStatus(MalformedRequest("x")).error_details()));
  EXPECT_EQ(details.code(), 3);
  EXPECT_EQ(details.message(), "x");
  ASSERT_EQ(details.details_size(), 1);
  google::rpc::ErrorInfo info;
  ASSERT_TRUE(details.details(0).UnpackTo(&info));
  EXPECT_EQ(info.domain(), "lean.v1");
  EXPECT_EQ(info.reason(), "MALFORMED_REQUEST");
}

TEST(StatusTest, EveryErrorGetsAReason) {
  EXPECT_EQ(ReasonOf(FromGrpcStatus(ToGrpcStatus(absl::InvalidArgumentError("x")))), "MALFORMED_REQUEST");
  EXPECT_EQ(ReasonOf(FromGrpcStatus(ToGrpcStatus(absl::InternalError("x")))), "INTERNAL");
  EXPECT_EQ(ReasonOf(FromGrpcStatus(ToGrpcStatus(absl::DeadlineExceededError("x")))), "DEADLINE_EXCEEDED");
}

TEST(StatusTest, OkIsOk) {
  EXPECT_TRUE(ToGrpcStatus(absl::OkStatus()).ok());
  EXPECT_TRUE(FromGrpcStatus(grpc::Status::OK).ok());
}

TEST(StatusTest, WithoutInfoThereIsNoReason) {
  const absl::Status status = absl::NotFoundError("x");
  EXPECT_EQ(ReasonOf(status), "");
  EXPECT_THAT(MetadataOf(status), IsEmpty());
}

TEST(StatusTest, GarbageDetailsFromAPeerAreDropped) {
  const absl::Status status = FromGrpcStatus(grpc::Status(grpc::StatusCode::NOT_FOUND, "gone", "\xff\xff\xff"));
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReasonOf(status), "");
}

TEST(StatusTest, InfoOfAnotherDomainIsNotOurs) {
  google::rpc::ErrorInfo info;
  info.set_reason("WRONG_SLOT");
  info.set_domain("example.org");
  google::rpc::Status details;
  details.add_details()->PackFrom(info);
  const absl::Status status =
      FromGrpcStatus(grpc::Status(grpc::StatusCode::UNAVAILABLE, "x", details.SerializeAsString()));
  EXPECT_EQ(ReasonOf(status), "");
}

TEST(StatusTest, LongMessagesAreCutBetweenCharacters) {
  // "…" has three bytes, so that the limit lies inside one.
  std::string message;
  while (message.size() <= kMaxErrorMessageBytes) message += "…";
  const grpc::Status wire = ToGrpcStatus(MalformedRequest(message));
  EXPECT_EQ(wire.error_message(), message.substr(0, kMaxErrorMessageBytes / 3 * 3));
}

}  // namespace
}  // namespace lean::rpc
