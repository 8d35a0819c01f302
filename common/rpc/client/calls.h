// Calls on a server that may do anything: nobody waits for one longer than he said, and another thread can end it.
#ifndef LEAN_COMMON_RPC_CLIENT_CALLS_H_
#define LEAN_COMMON_RPC_CLIENT_CALLS_H_

#include <chrono>
#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/concurrency/mutex.h"
#include "common/concurrency/worker_pool.h"
#include "google/protobuf/message.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/support/byte_buffer.h"

namespace lean::rpc {

// Unary calls over one channel. Thread-safe. A caller waits on a timer of its own, and its thread never enters gRPC:
// whichever thread does may be kept there for as long as the server sends, by gRPC's reading, even beyond the call's
// deadline. So two threads of this object make its calls and wait for what comes, apart from those of other servers. A
// call that has not ended in time is left to them.
class BoundedCalls {
 public:
  explicit BoundedCalls(const std::shared_ptr<grpc::Channel>& channel);
  // As Cancel(). Waits for the two threads, which a server that sends without end may keep: a ReceiveBudget has to be
  // there to end that.
  ~BoundedCalls();
  BoundedCalls(const BoundedCalls&) = delete;
  BoundedCalls& operator=(const BoundedCalls&) = delete;

  // Calls `method` (say "/lean.v1.DutyService/BuildVote") and returns the bytes of its answer, after `timeout` and a
  // small margin at the latest. The server's error, or DeadlineExceeded; Unavailable: too many earlier calls have not
  // ended yet; Cancelled: after Cancel().
  absl::StatusOr<grpc::ByteBuffer> Call(const std::string& method, const google::protobuf::Message& request,
                                        std::chrono::milliseconds timeout);

  // Callers return at once, and no call is made any more.
  void Cancel();

 private:
  // Under way on one channel; more than a validator client ever has at a time.
  static constexpr size_t kMaxCalls = 16;

  struct Pending;

  absl::Status Add(const std::shared_ptr<Pending>& call);
  void Start(Pending& call, const std::string& method);
  void TakeEnds();
  void Done(const std::shared_ptr<Pending>& call);
  absl::Status Await(const Pending& call, std::chrono::milliseconds timeout);

  grpc::GenericStub stub_;
  grpc::CompletionQueue queue_;

  Mutex mutex_;
  CondVar changed_;
  std::set<std::shared_ptr<Pending>> calls_ ABSL_GUARDED_BY(mutex_);  // that have not ended
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;

  WorkerPool starter_{1, kMaxCalls};
  std::thread ends_;
};

// Thread-safe.
class CancellableCalls {
 public:
  // Registers a call before it is made, so that Cancel() reaches it. False after Cancel(): it must not be made.
  bool Begin(grpc::ClientContext& context);
  // The call is done; its context may go.
  void End(grpc::ClientContext& context);

  // Those under way end with CANCELLED, and none begins any more.
  void Cancel();

 private:
  Mutex mutex_;
  absl::flat_hash_set<grpc::ClientContext*> calls_ ABSL_GUARDED_BY(mutex_);
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace lean::rpc

#endif  // LEAN_COMMON_RPC_CLIENT_CALLS_H_
