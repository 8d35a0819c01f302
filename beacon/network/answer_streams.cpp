#include "beacon/network/answer_streams.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "beacon/network/messages.h"
#include "common/rpc/convert.h"
#include "common/rpc/status.h"
#include "common/rpc/unary_call.h"
#include "grpcpp/client_context.h"

namespace lean::beacon {
namespace {

// For a stream to name its session.
constexpr std::chrono::seconds kSessionTime{10};

absl::Status Closed() { return absl::UnavailableError("the link has ended"); }

absl::Status TooManyOpen() {
  return absl::ResourceExhaustedError(absl::StrCat(kMaxRequestsOpen, " requests are open"));
}

}  // namespace

struct UnaryAsker::Call {
  std::shared_ptr<grpc::GenericStub> stub;  // outlives the context
  grpc::ClientContext context;
  grpc::ByteBuffer request;
  grpc::ByteBuffer response;
  Done done;
};

void UnaryAsker::SetOnClose(std::function<void()> on_close) {
  {
    std::lock_guard lock(mutex_);
    if (!closed_) {
      on_close_ = std::move(on_close);
      return;
    }
  }
  on_close();
}

void UnaryAsker::Ask(const v1::BlocksRequest& request, Done done) {
  auto call = std::make_shared<Call>();
  call->stub = stub_;
  call->context.set_deadline(std::chrono::system_clock::now() + kAnswerTime);
  std::string method;
  if (request.has_by_root()) {
    v1::BlocksByRootRequest by_root = request.by_root();
    by_root.set_session(rpc::BytesToProto(session_));
    call->request = ToByteBuffer(by_root);
    method = kBlocksByRootMethod;
  } else {
    v1::BlocksByRangeRequest by_range = request.by_range();
    by_range.set_session(rpc::BytesToProto(session_));
    call->request = ToByteBuffer(by_range);
    method = kBlocksByRangeMethod;
  }
  absl::Status refused;
  {
    std::lock_guard lock(mutex_);
    refused = closed_ ? Closed() : calls_.size() >= kMaxRequestsOpen ? TooManyOpen() : absl::OkStatus();
    if (refused.ok()) calls_.insert(call);
  }
  if (!refused.ok()) return done(std::move(refused));
  call->done = std::move(done);
  stub_->UnaryCall(&call->context, method, grpc::StubOptions(), &call->request, &call->response,
                   [self = shared_from_this(), call](const grpc::Status& status) { self->Finish(call, status); });
}

void UnaryAsker::Finish(const std::shared_ptr<Call>& call, const grpc::Status& status) {
  {
    std::lock_guard lock(mutex_);
    calls_.erase(call);
  }
  if (!status.ok()) return call->done(rpc::FromGrpcStatus(status));
  v1::BlocksResponse response;
  if (absl::Status decoded = rpc::DecodeRequest(call->response, response); !decoded.ok()) {
    return call->done(absl::DataLossError(decoded.message()));
  }
  call->done(std::move(response));
}

size_t UnaryAsker::open() const {
  std::lock_guard lock(mutex_);
  return calls_.size();
}

bool UnaryAsker::closed() const {
  std::lock_guard lock(mutex_);
  return closed_;
}

void UnaryAsker::Close() {
  std::function<void()> on_close;
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
    for (const std::shared_ptr<Call>& call : calls_) call->context.TryCancel();
    on_close = std::exchange(on_close_, nullptr);
  }
  if (on_close) on_close();
}

void StreamAsker::Start(Stream* stream) {
  std::lock_guard lock(mutex_);
  stream_ = stream;
  stream_->Read();
}

bool StreamAsker::attached() const {
  std::lock_guard lock(mutex_);
  return attached_;
}

void StreamAsker::Ask(const v1::BlocksRequest& request, Done done) {
  absl::Status refused;
  {
    std::lock_guard lock(mutex_);
    refused = closed_ ? Closed() : open_.size() >= kMaxRequestsOpen ? TooManyOpen() : absl::OkStatus();
    if (refused.ok()) {
      const uint64_t id = next_id_++;
      open_.emplace(id, Open{.done = std::move(done), .deadline = clock_.Steady() + kAnswerTime});
      to_send_.push_back(request);
      to_send_.back().set_id(id);
      return PumpLocked();
    }
  }
  done(std::move(refused));
}

size_t StreamAsker::open() const {
  std::lock_guard lock(mutex_);
  return open_.size();
}

bool StreamAsker::closed() const {
  std::lock_guard lock(mutex_);
  return closed_;
}

void StreamAsker::Tick(SteadyTime now) {
  std::vector<Done> late;
  {
    std::lock_guard lock(mutex_);
    if (!attached_ && now - since_ > kSessionTime && stream_ != nullptr) stream_->Cancel();
    for (auto it = open_.begin(); it != open_.end();) {
      if (it->second.deadline > now) {
        ++it;
        continue;
      }
      late.push_back(std::move(it->second.done));
      it = open_.erase(it);
    }
  }
  for (const Done& done : late) done(absl::DeadlineExceededError("no answer in time"));
}

void StreamAsker::Close() {
  std::map<uint64_t, Open> open;
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
    open = std::exchange(open_, {});
    if (stream_ != nullptr) stream_->Cancel();
  }
  for (const auto& [id, request] : open) request.done(Closed());
}

void StreamAsker::OnRead(bool ok, const grpc::ByteBuffer& bytes) {
  if (!ok) return Close();
  v1::BlocksAnswer answer;
  if (absl::Status status = rpc::DecodeRequest(bytes, answer); !status.ok()) {
    return Break(std::string(status.message()));
  }
  bool attached;
  {
    std::lock_guard lock(mutex_);
    attached = attached_;
  }
  if (!attached) {
    const auto session = rpc::FixedBytesFromProto<SessionId>(answer.session(), "session");
    if (!session.ok() || !attach_(*session, shared_from_this())) return Close();
    std::lock_guard lock(mutex_);
    attached_ = true;
    session_ = *session;
  } else {
    OnAnswer(std::move(answer));
  }
  std::lock_guard lock(mutex_);
  if (stream_ != nullptr && !closed_) stream_->Read();
}

void StreamAsker::OnAnswer(v1::BlocksAnswer answer) {
  Done done;
  {
    std::lock_guard lock(mutex_);
    // An answer that comes too late is not looked at; one that was never asked for is malformed.
    if (answer.id() != 0 && answer.id() < next_id_) {
      const auto found = open_.find(answer.id());
      if (found == open_.end()) return;
      done = std::move(found->second.done);
      open_.erase(found);
    }
  }
  if (!done) return Break("an answer to nothing that was asked");
  if (answer.has_blocks()) return done(std::move(*answer.mutable_blocks()));
  const bool overloaded = answer.reason() == "OVERLOADED";
  done(overloaded ? absl::ResourceExhaustedError("the peer has too much to do")
                  : absl::UnavailableError("the peer refused"));
}

void StreamAsker::Break(const std::string& why) {
  SessionId session;
  {
    std::lock_guard lock(mutex_);
    session = session_;
  }
  malformed_(session, absl::StrCat("answer: ", why));
  Close();
}

void StreamAsker::OnWritten(bool ok) {
  std::lock_guard lock(mutex_);
  writing_ = false;
  if (ok) PumpLocked();
}

void StreamAsker::PumpLocked() {
  if (writing_ || stream_ == nullptr || to_send_.empty()) return;
  writing_ = true;
  stream_->Write(ToByteBuffer(to_send_.front()));
  to_send_.pop_front();
}

void StreamAsker::OnClosed(const grpc::Status&) {
  {
    std::lock_guard lock(mutex_);
    stream_ = nullptr;
  }
  Close();
}

void AnswerStream::Start(Stream* stream, const SessionId& session) {
  v1::BlocksAnswer first;
  first.set_session(rpc::BytesToProto(session));
  std::lock_guard lock(mutex_);
  stream_ = stream;
  stream_->Write(ToByteBuffer(first));
}

void AnswerStream::Cancel() {
  std::lock_guard lock(mutex_);
  if (stream_ != nullptr) stream_->Cancel();
}

void AnswerStream::OnRead(bool ok, const grpc::ByteBuffer& bytes) {
  v1::BlocksRequest request;
  if (!ok || !rpc::DecodeRequest(bytes, request).ok()) return Cancel();
  const uint64_t id = request.id();
  serve_(std::move(request), [self = shared_from_this(), id](absl::StatusOr<v1::BlocksResponse> blocks) {
    v1::BlocksAnswer answer;
    answer.set_id(id);
    if (blocks.ok()) {
      *answer.mutable_blocks() = *std::move(blocks);
    } else {
      answer.set_reason(rpc::ReasonOf(blocks.status()));
    }
    std::lock_guard lock(self->mutex_);
    if (self->stream_ != nullptr) self->stream_->Write(ToByteBuffer(answer));
  });
}

void AnswerStream::OnWritten(bool ok) {
  std::lock_guard lock(mutex_);
  if (ok && stream_ != nullptr) stream_->Read();
}

void AnswerStream::OnClosed(const grpc::Status&) {
  std::lock_guard lock(mutex_);
  stream_ = nullptr;
}

}  // namespace lean::beacon
