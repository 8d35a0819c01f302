#include "common/rpc/client/calls.h"

#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "common/clock/clock.h"
#include "common/rpc/wire/status.h"
#include "common/status/status_macros.h"
#include "grpcpp/client_context.h"
#include "grpcpp/impl/codegen/proto_utils.h"
#include "grpcpp/support/async_unary_call.h"

namespace lean::rpc {
namespace {

// gRPC ends a call at its deadline and reports the server's error if there is one. This is the time that it gets for
// that.
constexpr std::chrono::milliseconds kMargin{50};

}  // namespace

// One call. gRPC uses it until the call has ended, then the caller does.
struct BoundedCalls::Pending {
  grpc::ClientContext context;
  grpc::ByteBuffer request;
  grpc::ByteBuffer response;
  grpc::Status status;
  bool ended = false;  // guarded by the mutex of its BoundedCalls, which the annotations cannot name here
  std::unique_ptr<grpc::ClientAsyncResponseReader<grpc::ByteBuffer>> reader;
  std::shared_ptr<Pending> self;  // gRPC's share
};

BoundedCalls::BoundedCalls(ChannelSource channels) : channels_(std::move(channels)), ends_([this] { TakeEnds(); }) {}

BoundedCalls::~BoundedCalls() {
  Cancel();
  starter_.Stop();
  queue_.Shutdown();
  ends_.join();
}

absl::StatusOr<grpc::ByteBuffer> BoundedCalls::Call(const std::string& method, const google::protobuf::Message& request,
                                                    std::chrono::milliseconds timeout) {
  if (timeout <= std::chrono::milliseconds::zero()) {
    return absl::DeadlineExceededError(absl::StrCat("no time is left for ", method));
  }
  const auto call = std::make_shared<Pending>();
  bool own_buffer = false;
  if (const grpc::Status status =
          grpc::SerializationTraits<google::protobuf::Message>::Serialize(request, &call->request, &own_buffer);
      !status.ok()) {
    return FromGrpcStatus(status);
  }
  call->context.set_deadline(SystemTime() + timeout);
  RETURN_IF_ERROR(Add(call));
  if (starter_.TrySubmit([this, call, method] { Start(*call, method); }) != PushResult::kPushed) {
    call->status = {grpc::StatusCode::UNAVAILABLE, "it has not answered earlier calls yet"};
    call->self.reset();
    Done(call);
  }
  RETURN_IF_ERROR(Await(*call, timeout));
  return std::move(call->response);
}

absl::Status BoundedCalls::Add(const std::shared_ptr<Pending>& call) {
  MutexLock lock(mutex_);
  if (cancelled_) return absl::CancelledError("this process is stopping");
  if (calls_.size() >= kMaxCalls) return absl::UnavailableError("it has not answered earlier calls yet");
  calls_.insert(call);
  call->self = call;
  return absl::OkStatus();
}

void BoundedCalls::Start(Pending& call, const std::string& method) {
  if (std::shared_ptr<grpc::Channel> channel = channels_(); channel != channel_) {
    channel_ = std::move(channel);
    stub_.emplace(channel_);
  }
  call.reader = stub_->PrepareUnaryCall(&call.context, method, call.request, &queue_);
  call.reader->StartCall();
  call.reader->Finish(&call.response, &call.status, &call);
}

void BoundedCalls::TakeEnds() {
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) {
    const std::shared_ptr<Pending> call = std::move(static_cast<Pending*>(tag)->self);
    Done(call);
  }
}

void BoundedCalls::Done(const std::shared_ptr<Pending>& call) {
  MutexLock lock(mutex_);
  call->ended = true;
  calls_.erase(call);
  changed_.NotifyAll();
}

absl::Status BoundedCalls::Await(const Pending& call, std::chrono::milliseconds timeout) {
  MutexLock lock(mutex_);
  changed_.WaitFor(mutex_, timeout + kMargin,
                   [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return cancelled_ || call.ended; });
  if (call.ended) return FromGrpcStatus(call.status);
  if (cancelled_) return absl::CancelledError("this process is stopping");
  return absl::DeadlineExceededError(absl::StrCat("no answer within ", timeout.count(), " ms"));
}

void BoundedCalls::Cancel() {
  std::set<std::shared_ptr<Pending>> calls;
  {
    MutexLock lock(mutex_);
    cancelled_ = true;
    calls = calls_;
    changed_.NotifyAll();
  }
  for (const std::shared_ptr<Pending>& call : calls) {
    // Does not run while gRPC occupies the thread and the queue is full. The calls then end at their deadlines.
    starter_.TrySubmit([call] { call->context.TryCancel(); });
  }
}

bool CancellableCalls::Begin(grpc::ClientContext& context) {
  MutexLock lock(mutex_);
  if (cancelled_) return false;
  calls_.insert(&context);
  return true;
}

void CancellableCalls::End(grpc::ClientContext& context) {
  MutexLock lock(mutex_);
  calls_.erase(&context);
}

void CancellableCalls::Cancel() {
  MutexLock lock(mutex_);
  cancelled_ = true;
  for (grpc::ClientContext* context : calls_) context->TryCancel();
}

}  // namespace lean::rpc
