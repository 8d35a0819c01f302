// Unary calls of an asynchronous server: taken from gRPC's threads at once, worked off on a bounded pool, ended exactly
// once by their answer, their deadline or their caller's leaving, whichever comes first; and who makes them, for
// sharing a server among callers.
//
// Services register their methods raw (WithRawCallbackMethod_…), since gRPC's own decoding answers UNIMPLEMENTED to
// bytes that are not a message, and does so on its own threads: here such bytes get MALFORMED_REQUEST, after
// CheckWireLimits.
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
  // "cert:" and the name of the certificate that the client has shown, else its address without the port.
  std::string host;
  // Its address with the port: one of the host's connections.
  std::string connection;

  bool HasCertificate() const;
  // Who is answerable: the certificate's owner, wherever it calls from; else the connection, since an address may be
  // that of many programs.
  const std::string& identity() const { return HasCertificate() ? host : connection; }
};

Caller CallerOf(const grpc::ServerContextBase& context);

// What is known of a caller, from best to worst. The better ones' calls go first.
enum class Rank { kGood, kUnknown, kBad };
inline constexpr size_t kRanks = 3;

// What is to be done for a call: one of the two is called, once.
struct Work {
  std::function<void()> run;
  std::function<void()> refuse;  // there is no room for it
  size_t bytes = 0;              // of the request, which is kept until then
};

// Sees to it that work.run is called on another thread, later, or work.refuse, at any time. Never blocks.
using Schedule = std::function<void(const Caller& caller, Work work)>;

// Takes a handler's result; called at most once, from any thread, also after the call has ended.
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

// One call. Thread-safe. Kept alive by gRPC until the call is done, and by whoever still works for it.
class UnaryCall final : public grpc::ServerUnaryReactor {
 public:
  static std::shared_ptr<UnaryCall> Create(grpc::CallbackServerContext& context, grpc::ByteBuffer* response,
                                           std::shared_ptr<CallsUnderWay> calls);
  ~UnaryCall() override;

  // The first of these ends the call; what comes later is dropped. In place of an answer the caller gets OVERLOADED
  // when it has too much unread.
  void Answer(const google::protobuf::Message& message);
  void Fail(const absl::Status& status);

  // Nobody waits for the answer any more: it was given, the caller has left, or the deadline has passed.
  bool ended() const;

  void OnCancel() override;
  void OnDone() override;

 private:
  UnaryCall(grpc::CallbackServerContext& context, grpc::ByteBuffer* response, std::shared_ptr<CallsUnderWay> calls);

  // Ends a call that has its answer, whose caller does not read it.
  void Abandon();

  bool Late() const { return SystemTime() >= deadline_; }

  // True for the one caller that may finish the call; `response_` is gRPC's and lives until it does.
  bool Claim() { return !ended_.exchange(true, std::memory_order_acq_rel); }

  const std::chrono::system_clock::time_point deadline_;
  const std::string connection_;  // of its caller
  grpc::ByteBuffer* const response_;
  const std::shared_ptr<CallsUnderWay> calls_;
  std::atomic<bool> ended_{false};
  std::optional<UnreadAnswers::Id> unread_;  // set before the answer is given, read when it has gone
  Mutex context_mutex_;
  grpc::CallbackServerContext* context_ ABSL_GUARDED_BY(context_mutex_);  // null once gRPC is done with the call
  std::shared_ptr<UnaryCall> self_;                                       // gRPC's share
};

// Decodes a request within CheckWireLimits. MALFORMED_REQUEST otherwise.
absl::Status DecodeRequest(const grpc::ByteBuffer& bytes, google::protobuf::Message& request);

// Starts the calls of one server's services. Thread-safe.
class Dispatcher {
 public:
  // `requests`: where whole requests are counted; null: nowhere.
  explicit Dispatcher(Schedule schedule, std::shared_ptr<RequestBytes> requests = nullptr,
                      const UnreadLimits& unread = {})
      : schedule_(std::move(schedule)), calls_(std::make_shared<CallsUnderWay>(unread, std::move(requests))) {}

  // Calls under way, those included whose caller has gone while work for them goes on.
  int64_t active() const { return calls_->count.load(std::memory_order_relaxed); }

  // Ends a call without looking at its request.
  grpc::ServerUnaryReactor* Refuse(grpc::CallbackServerContext* context, const grpc::ByteBuffer& request,
                                   grpc::ByteBuffer* response, const absl::Status& status) {
    Count(*context, request);
    auto call = UnaryCall::Create(*context, response, calls_);
    call->Fail(status);
    return call.get();
  }

  // Decodes the request and runs handle(request, reply) as scheduled, unless the caller has gone by then. OVERLOADED
  // when there is no room. What `handle` refers to must outlive the pool's work.
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
      handle(decoded, std::move(reply));
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
