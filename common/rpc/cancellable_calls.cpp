#include "common/rpc/cancellable_calls.h"

namespace lean::rpc {

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
