// Unary calls of an asynchronous server, and their callers. A call leaves gRPC's threads at once, runs on a bounded
// pool, and ends exactly once: by its answer, its deadline or its cancellation, whichever comes first.
//
// Services register raw methods (WithRawCallbackMethod_…), because gRPC decodes on its own threads and answers
// UNIMPLEMENTED to bytes that are no message. Here CheckWireLimits comes first, and such bytes get MALFORMED_REQUEST.
#ifndef LEAN_COMMON_RPC_SERVER_UNARY_CALL_H_
#define LEAN_COMMON_RPC_SERVER_UNARY_CALL_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/clock/clock.h"
#include "common/concurrency/mutex.h"
#include "common/rpc/connections/open_connections.h"
#include "common/rpc/server/unread_answers.h"
#include "google/protobuf/message.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"

namespace lean::rpc {

struct Caller {
  // "cert:" and the role of the client's certificate, or its name if it has no role; without a certificate, the
  // client's address without the port.
  std::string host;
  // The client's address with the port, which identifies a connection of the host.
  std::string connection;

  bool HasCertificate() const;
  // Who is responsible for the call: the owner of the certificate, from any address; otherwise the connection, because
  // many programs may share an address.
  const std::string& identity() const { return HasCertificate() ? host : connection; }
};

Caller CallerOf(const grpc::ServerContextBase& context);

// What is known about a caller, from best to worst. Calls of better callers are served first.
enum class Rank { kGood, kUnknown, kBad };
inline constexpr size_t kRanks = 3;

// The work of a call. Exactly one of the two functions is called, once.
struct Work {
  std::function<void()> run;
  std::function<void()> refuse;  // called if there is no room for it
  size_t bytes = 0;              // size of the request, which is kept until then
};

// Arranges that work.run is called later on another thread, or work.refuse at any time. Does not block.
using Schedule = std::function<void(const Caller& caller, Work work)>;

// Receives the result of a handler. Called at most once, from any thread, also after the call has ended.
template <typename Response>
using Reply = std::function<void(absl::StatusOr<Response>)>;

// The calls of a dispatcher. Thread-safe.
struct CallsUnderWay {
  CallsUnderWay(const UnreadLimits& limits, std::shared_ptr<RequestBytes> bytes)
      : unread(limits), requests(std::move(bytes)) {}

  std::atomic<int64_t> count = 0;  // that are not destroyed yet
  UnreadAnswers unread;
  const std::shared_ptr<RequestBytes> requests;  // null: not counted
};

// One call. Thread-safe. Lives until gRPC has finished the call and nothing works for it any more.
class UnaryCall final : public grpc::ServerUnaryReactor {
 public:
  static std::shared_ptr<UnaryCall> Create(grpc::CallbackServerContext& context, grpc::ByteBuffer* response,
                                           std::shared_ptr<CallsUnderWay> calls);
  ~UnaryCall() override;

  // The first of these ends the call; later ones have no effect. If the caller has too many unread answers, it gets
  // OVERLOADED in place of this one.
  void Answer(const google::protobuf::Message& message);
  void Fail(const absl::Status& status);

  // True when no answer is expected any more: it was given, the caller has left, or the deadline has passed.
  bool ended() const;

  void OnCancel() override;
  void OnDone() override;

 private:
  UnaryCall(grpc::CallbackServerContext& context, grpc::ByteBuffer* response, std::shared_ptr<CallsUnderWay> calls);

  // Ends a call whose caller does not read the answer.
  void Abandon();

  bool Late() const { return SystemTime() >= deadline_; }

  // True for the one caller that may finish the call. `response_` belongs to gRPC and lives until then.
  bool Claim() { return !ended_.exchange(true, std::memory_order_acq_rel); }

  const std::chrono::system_clock::time_point deadline_;
  const std::string connection_;  // of its caller
  grpc::ByteBuffer* const response_;
  const std::shared_ptr<CallsUnderWay> calls_;
  std::atomic<bool> ended_{false};
  std::optional<UnreadAnswers::Id> unread_;  // set before the answer is given, read after it was sent
  Mutex context_mutex_;
  grpc::CallbackServerContext* context_ ABSL_GUARDED_BY(context_mutex_);  // null after gRPC has finished the call
  std::shared_ptr<UnaryCall> self_;                                       // gRPC's share
};

// The end of a call that would stream its answer: an error and nothing else. gRPC destroys it.
class RefusedStream final : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  explicit RefusedStream(const absl::Status& status);
  void OnDone() override { delete this; }
};

// Decodes a request. MALFORMED_REQUEST: it exceeds CheckWireLimits or is no such message.
absl::Status DecodeRequest(const grpc::ByteBuffer& bytes, google::protobuf::Message& request);

// Starts the calls of one server's services. Thread-safe.
class Dispatcher {
 public:
  // `requests` counts complete requests; null: they are not counted.
  explicit Dispatcher(Schedule schedule, std::shared_ptr<RequestBytes> requests = nullptr,
                      const UnreadLimits& unread = {})
      : schedule_(std::move(schedule)), calls_(std::make_shared<CallsUnderWay>(unread, std::move(requests))) {}

  // The number of calls in progress, including those whose caller has left while their work continues.
  int64_t active() const { return calls_->count.load(std::memory_order_relaxed); }

  // Of the answers that no caller has read yet.
  metrics::Footprint unread() const { return calls_->unread.footprint(); }

  // Ends a call with an error, without decoding its request.
  grpc::ServerUnaryReactor* Refuse(grpc::CallbackServerContext* context, const grpc::ByteBuffer& request,
                                   grpc::ByteBuffer* response, const absl::Status& status) {
    Count(*context, request);
    auto call = UnaryCall::Create(*context, response, calls_);
    call->Fail(status);
    return call.get();
  }

  // The same for a call that would stream its answer.
  grpc::ServerWriteReactor<grpc::ByteBuffer>* RefuseStream(const grpc::CallbackServerContext& context,
                                                           const grpc::ByteBuffer& request,
                                                           const absl::Status& status) {
    Count(context, request);
    return new RefusedStream(status);
  }

  // Decodes the request by DecodeRequest(bytes, request), and runs handle(request, reply) on the schedule, unless the
  // caller has left by then. OVERLOADED: there is no room. What `handle` refers to must outlive the work of the pool.
  template <typename Request, typename Response, typename Handle>
  grpc::ServerUnaryReactor* Run(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                grpc::ByteBuffer* response, Handle handle) {
    Count(*context, *request);
    auto call = UnaryCall::Create(*context, response, calls_);
    // The bytes are shared with gRPC's buffer, not copied.
    auto work = [call, bytes = *request, handle = std::move(handle)] {
      if (call->ended()) return;
      Request decoded;
      if (absl::Status status = DecodeRequest(bytes, decoded); !status.ok()) {
        call->Fail(status);
        return;
      }
      Reply<Response> reply = [call](absl::StatusOr<Response> result) {
        if (result.ok()) {
          call->Answer(*result);
        } else {
          call->Fail(result.status());
        }
      };
      handle(std::move(decoded), std::move(reply));
    };
    schedule_(CallerOf(*context),
              {.run = std::move(work), .refuse = [call] { call->Fail(Overloaded()); }, .bytes = request->Length()});
    return call.get();
  }

 private:
  static absl::Status Overloaded();

  void Count(const grpc::CallbackServerContext& context, const grpc::ByteBuffer& request) const {
    if (calls_->requests != nullptr) calls_->requests->Count(context.peer(), request.Length());
  }

  const Schedule schedule_;
  const std::shared_ptr<CallsUnderWay> calls_;
};

}  // namespace lean::rpc

#endif  // LEAN_COMMON_RPC_SERVER_UNARY_CALL_H_
