#include "common/rpc/unary_call.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/rpc/limits.h"
#include "common/rpc/status.h"
#include "common/rpc/wire_limits.h"
#include "grpcpp/support/proto_buffer_reader.h"
#include "grpcpp/support/proto_buffer_writer.h"

namespace lean::rpc {
namespace {

absl::Status DeadlinePassed() {
  return MakeError(absl::StatusCode::kDeadlineExceeded, "DEADLINE_EXCEEDED", "the call's deadline has passed");
}

constexpr int kWriteBlockBytes = 1 << 20;

}  // namespace

std::shared_ptr<UnaryCall> UnaryCall::Create(grpc::CallbackServerContext& context, grpc::ByteBuffer* response,
                                             std::shared_ptr<std::atomic<int64_t>> active) {
  std::shared_ptr<UnaryCall> call(new UnaryCall(context, response, std::move(active)));
  call->self_ = call;
  return call;
}

UnaryCall::UnaryCall(grpc::CallbackServerContext& context, grpc::ByteBuffer* response,
                     std::shared_ptr<std::atomic<int64_t>> active)
    : deadline_(context.deadline()), response_(response), active_(std::move(active)) {
  active_->fetch_add(1, std::memory_order_relaxed);
}

UnaryCall::~UnaryCall() { active_->fetch_sub(1, std::memory_order_relaxed); }

void UnaryCall::Answer(const google::protobuf::Message& message) {
  const size_t size = message.ByteSizeLong();
  if (size > kMaxMessageBytes) {
    Fail(MakeError(absl::StatusCode::kResourceExhausted, "RESPONSE_TOO_LARGE",
                   absl::StrCat("the answer has ", size, " bytes, more than a message may (", kMaxMessageBytes, ")")));
    return;
  }
  if (!Claim()) return;
  bool written = false;
  {
    grpc::ProtoBufferWriter writer(response_, kWriteBlockBytes, static_cast<int>(size));
    written = message.SerializeToZeroCopyStream(&writer);
  }
  Finish(written ? grpc::Status::OK
                 : ToGrpcStatus(absl::InternalError("the answer could not be written as a message")));
}

void UnaryCall::Fail(const absl::Status& status) {
  if (Claim()) Finish(ToGrpcStatus(status));
}

bool UnaryCall::ended() const { return ended_.load(std::memory_order_acquire) || Late(); }

void UnaryCall::OnCancel() {
  Fail(Late() ? DeadlinePassed() : MakeError(absl::StatusCode::kCancelled, "CANCELLED", "the caller has gone"));
}

void UnaryCall::OnDone() { self_.reset(); }

absl::Status DecodeRequest(const grpc::ByteBuffer& bytes, google::protobuf::Message& request) {
  grpc::ByteBuffer to_walk = bytes;
  grpc::ProtoBufferReader walked(&to_walk);
  if (!walked.status().ok()) return MalformedRequest("the bytes cannot be read");
  if (absl::Status status = CheckWireLimits(walked, *request.GetDescriptor()); !status.ok()) return status;
  grpc::ByteBuffer to_parse = bytes;
  grpc::ProtoBufferReader parsed(&to_parse);
  if (!parsed.status().ok() || !request.ParseFromZeroCopyStream(&parsed)) {
    return MalformedRequest("the bytes are not a message of the call's type");
  }
  return absl::OkStatus();
}

absl::Status Dispatcher::Overloaded() {
  return MakeError(absl::StatusCode::kResourceExhausted, "OVERLOADED", "too many calls at once; try again");
}

}  // namespace lean::rpc
