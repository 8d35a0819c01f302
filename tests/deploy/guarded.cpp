// Read by tidy_test.py, never compiled: the linter refuses it when LEAN_WITHOUT_LOCK is defined, and takes it
// otherwise.
#include "absl/base/thread_annotations.h"
#include "common/concurrency/mutex.h"

namespace lean {

class Guarded {
 public:
  int Get() {
#ifndef LEAN_WITHOUT_LOCK
    const MutexLock lock(mutex_);
#endif
    return value_;
  }

 private:
  Mutex mutex_;
  int value_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace lean
