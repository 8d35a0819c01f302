// A readers-writer lock whose writers do not starve.
#ifndef LEAN_COMMON_CONCURRENCY_SHARED_MUTEX_H_
#define LEAN_COMMON_CONCURRENCY_SHARED_MUTEX_H_

#include <pthread.h>

namespace lean {

// For std::shared_lock and std::unique_lock. std::shared_mutex lets readers overtake a waiting writer on glibc, for as
// long as their visits overlap; here a waiting writer holds new readers back. So a thread must not lock for reading
// twice. (Not absl::Mutex: the thread sanitizer cannot see inside a library that was built without it.)
class SharedMutex {
 public:
  SharedMutex() {
    pthread_rwlockattr_t attributes;
    pthread_rwlockattr_init(&attributes);
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&lock_, &attributes);
    pthread_rwlockattr_destroy(&attributes);
  }
  ~SharedMutex() { pthread_rwlock_destroy(&lock_); }
  SharedMutex(const SharedMutex&) = delete;
  SharedMutex& operator=(const SharedMutex&) = delete;

  void lock() { pthread_rwlock_wrlock(&lock_); }
  void unlock() { pthread_rwlock_unlock(&lock_); }
  void lock_shared() { pthread_rwlock_rdlock(&lock_); }
  void unlock_shared() { pthread_rwlock_unlock(&lock_); }

 private:
  pthread_rwlock_t lock_;
};

}  // namespace lean

#endif  // LEAN_COMMON_CONCURRENCY_SHARED_MUTEX_H_
