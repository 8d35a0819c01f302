// Calls to a server that is not trusted: no caller waits longer than its timeout, and another thread can cancel a call.
#ifndef LEAN_COMMON_RPC_CLIENT_CALLS_H_
#define LEAN_COMMON_RPC_CLIENT_CALLS_H_

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/concurrency/mutex.h"
#include "common/concurrency/worker_pool.h"
#include "common/rpc/client/channel.h"
#include "google/protobuf/message.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/support/byte_buffer.h"

namespace lean::rpc {

// Unary calls to one server. Thread-safe. A caller waits on its own timer, and its thread never enters gRPC, because
// gRPC may keep a thread reading for as long as the server sends, even beyond the call's deadline. Two threads of this
// object make the calls and receive the answers. They are separate from those of other servers. A call that has not
// ended in time is left to these threads.
class BoundedCalls {
 public:
  explicit BoundedCalls(ChannelSource channels);
  // Like Cancel(). Waits for the two threads. A server that sends without end can occupy them, so the process needs a
  // ReceiveBudget, which ends that.
  ~BoundedCalls();
  BoundedCalls(const BoundedCalls&) = delete;
  BoundedCalls& operator=(const BoundedCalls&) = delete;

  // Calls `method`, such as "/lean.v1.DutyService/BuildVote", and returns the bytes of its answer. Returns after
  // `timeout` and a small margin at the latest. Errors: that of the server; DeadlineExceeded; Unavailable: too many
  // earlier calls have not ended yet; Cancelled: Cancel() was called.
  absl::StatusOr<grpc::ByteBuffer> Call(const std::string& method, const google::protobuf::Message& request,
                                        std::chrono::milliseconds timeout);

  // All callers return at once, and no more calls are made.
  void Cancel();

 private:
  // The most calls in progress on one channel. A validator client never has that many.
  static constexpr size_t kMaxCalls = 16;

  struct Pending;

  absl::Status Add(const std::shared_ptr<Pending>& call);
  void Start(Pending& call, const std::string& method);
  void TakeEnds();
  void Done(const std::shared_ptr<Pending>& call);
  absl::Status Await(const Pending& call, std::chrono::milliseconds timeout);

  const ChannelSource channels_;
  std::shared_ptr<grpc::Channel> channel_;  // used by the thread of starter_ only, like the next
  std::optional<grpc::GenericStub> stub_;
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
  // The call has ended; its context may be destroyed.
  void End(grpc::ClientContext& context);

  // Calls in progress end with CANCELLED, and no new ones start.
  void Cancel();

 private:
  Mutex mutex_;
  absl::flat_hash_set<grpc::ClientContext*> calls_ ABSL_GUARDED_BY(mutex_);
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace lean::rpc

#endif  // LEAN_COMMON_RPC_CLIENT_CALLS_H_
