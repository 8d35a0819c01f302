// Calls under way that another thread can end.
#ifndef LEAN_COMMON_RPC_CANCELLABLE_CALLS_H_
#define LEAN_COMMON_RPC_CANCELLABLE_CALLS_H_

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "common/concurrency/mutex.h"
#include "grpcpp/client_context.h"

namespace lean::rpc {

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

#endif  // LEAN_COMMON_RPC_CANCELLABLE_CALLS_H_
