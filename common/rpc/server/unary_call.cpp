#include "common/rpc/server/unary_call.h"

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/rpc/server/caller_role.h"
#include "common/rpc/wire/message_limits.h"
#include "common/rpc/wire/status.h"
#include "common/status/status_macros.h"
#include "grpcpp/security/auth_context.h"
#include "grpcpp/support/proto_buffer_reader.h"
#include "grpcpp/support/proto_buffer_writer.h"

namespace lean::rpc {
namespace {

constexpr absl::string_view kCertificatePrefix = "cert:";

absl::Status DeadlinePassed() {
  return MakeError(absl::StatusCode::kDeadlineExceeded, "DEADLINE_EXCEEDED", "the call's deadline has passed");
}

absl::Status TooMuchUnread() {
  return MakeError(absl::StatusCode::kResourceExhausted, "OVERLOADED",
                   "too much that was answered on this connection has not been read; try again");
}

constexpr int kWriteBlockBytes = 1 << 20;

}  // namespace

bool Caller::HasCertificate() const { return absl::StartsWith(host, kCertificatePrefix); }

Caller CallerOf(const grpc::ServerContextBase& context) {
  Caller caller;
  caller.connection = context.peer();  // "ipv4:10.0.0.1:4711", "ipv6:%5B::1%5D:4711", "unix:"
  const auto auth = context.auth_context();
  if (auth != nullptr && auth->IsPeerAuthenticated()) {
    if (const std::vector<RoleUri> roles = RolesOf(*auth); !roles.empty()) {
      caller.host = absl::StrCat(kCertificatePrefix, roles[0].ToString());
      return caller;
    }
    const std::vector<grpc::string_ref> names = auth->GetPeerIdentity();
    if (!names.empty()) {
      caller.host = absl::StrCat(kCertificatePrefix, absl::string_view(names[0].data(), names[0].size()));
      return caller;
    }
  }
  caller.host = caller.connection.substr(0, caller.connection.rfind(':'));
  return caller;
}

std::shared_ptr<UnaryCall> UnaryCall::Create(grpc::CallbackServerContext& context, grpc::ByteBuffer* response,
                                             std::shared_ptr<CallsUnderWay> calls) {
  std::shared_ptr<UnaryCall> call(new UnaryCall(context, response, std::move(calls)));
  call->self_ = call;
  return call;
}

UnaryCall::UnaryCall(grpc::CallbackServerContext& context, grpc::ByteBuffer* response,
                     std::shared_ptr<CallsUnderWay> calls)
    : deadline_(context.deadline()),
      connection_(context.peer()),
      response_(response),
      calls_(std::move(calls)),
      context_(&context) {
  calls_->count.fetch_add(1, std::memory_order_relaxed);
}

UnaryCall::~UnaryCall() { calls_->count.fetch_sub(1, std::memory_order_relaxed); }

void UnaryCall::Answer(const google::protobuf::Message& message) {
  const size_t size = message.ByteSizeLong();
  if (size > kMaxMessageBytes) {
    Fail(MakeError(absl::StatusCode::kResourceExhausted, "RESPONSE_TOO_LARGE",
                   absl::StrCat("the answer has ", size, " bytes, more than a message may (", kMaxMessageBytes, ")")));
    return;
  }
  if (!Claim()) return;
  if (calls_->requests != nullptr) calls_->requests->CountAnswer(connection_, size);
  unread_ = calls_->unread.Add(connection_, size, [call = std::weak_ptr<UnaryCall>(self_)] {
    if (const std::shared_ptr<UnaryCall> unread = call.lock()) unread->Abandon();
  });
  if (!unread_.has_value()) return Finish(ToGrpcStatus(TooMuchUnread()));
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

void UnaryCall::OnDone() {
  if (unread_.has_value()) calls_->unread.Remove(*unread_);
  {
    MutexLock lock(context_mutex_);
    context_ = nullptr;
  }
  self_.reset();
}

// The lock keeps the context alive: gRPC calls OnDone on another thread and destroys the context after that.
void UnaryCall::Abandon() {
  MutexLock lock(context_mutex_);
  if (context_ != nullptr) context_->TryCancel();
}

RefusedStream::RefusedStream(const absl::Status& status) { Finish(ToGrpcStatus(status)); }

absl::Status DecodeRequest(const grpc::ByteBuffer& bytes, google::protobuf::Message& request) {
  grpc::ByteBuffer to_walk = bytes;
  grpc::ProtoBufferReader walked(&to_walk);
  if (!walked.status().ok()) return MalformedRequest("the bytes cannot be read");
  RETURN_IF_ERROR(CheckWireLimits(walked, *request.GetDescriptor()));
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
