// The locks of this project. They carry the annotations of clang's thread safety analysis: members say which lock
// guards them (ABSL_GUARDED_BY), functions which lock they need (ABSL_EXCLUSIVE_LOCKS_REQUIRED), and the lint run
// refuses code that reads or calls one without it.
//
// Not absl::Mutex: Debian builds Abseil without the thread sanitizer, which then reports races that are none, and its
// waits with a timeout follow the wall clock, which may jump. Not the locks of the standard library: they have no
// annotations.
#ifndef LEAN_COMMON_CONCURRENCY_MUTEX_H_
#define LEAN_COMMON_CONCURRENCY_MUTEX_H_

#include <pthread.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <utility>

#include "absl/base/thread_annotations.h"

namespace lean {

// Held by one thread at a time. Not recursive. Locked by MutexLock.
class ABSL_LOCKABLE Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { mutex_.lock(); }
  void Unlock() ABSL_UNLOCK_FUNCTION() { mutex_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

// Holds a Mutex for its lifetime, apart from the time between Unlock() and Lock().
class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex) : mutex_(mutex) { mutex_.Lock(); }
  ~MutexLock() ABSL_UNLOCK_FUNCTION() {
    if (locked_) mutex_.Unlock();
  }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

  void Unlock() ABSL_UNLOCK_FUNCTION() {
    mutex_.Unlock();
    locked_ = false;
  }
  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() {
    mutex_.Lock();
    locked_ = true;
  }

 private:
  Mutex& mutex_;
  bool locked_ = true;
};

// Lets threads wait for a change of what a Mutex guards. Each wait releases the mutex while it waits and holds it again
// when it returns. Durations are measured by a clock that nobody sets. A predicate reads what the mutex guards, so its
// lambda is marked:
//   changed_.Wait(mutex_, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !values_.empty(); });
class CondVar {
 public:
  void NotifyOne() { condition_.notify_one(); }
  void NotifyAll() { condition_.notify_all(); }

  // Until the predicate holds.
  template <typename Predicate>
  void Wait(Mutex& mutex, Predicate holds) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    condition_.wait(mutex.mutex_, std::move(holds));
  }
  // ... or `stop` is requested. Returns whether the predicate holds.
  template <typename Predicate>
  bool Wait(Mutex& mutex, std::stop_token stop, Predicate holds) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    return condition_.wait(mutex.mutex_, std::move(stop), std::move(holds));
  }
  // ... or the time is over. Returns whether the predicate holds.
  template <typename Predicate>
  bool WaitFor(Mutex& mutex, std::chrono::nanoseconds time, Predicate holds) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    return condition_.wait_for(mutex.mutex_, time, std::move(holds));
  }
  template <typename Predicate>
  bool WaitFor(Mutex& mutex, std::stop_token stop, std::chrono::nanoseconds time, Predicate holds)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    return condition_.wait_for(mutex.mutex_, std::move(stop), time, std::move(holds));
  }

 private:
  std::condition_variable_any condition_;
};

// A readers-writer lock whose writers do not starve: std::shared_mutex lets readers overtake a waiting writer on glibc,
// for as long as their visits overlap; here a waiting writer holds new readers back. So a thread must not lock for
// reading twice. Locked by ReaderLock and WriterLock.
class ABSL_LOCKABLE SharedMutex {
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

  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { pthread_rwlock_wrlock(&lock_); }
  void Unlock() ABSL_UNLOCK_FUNCTION() { pthread_rwlock_unlock(&lock_); }
  void ReaderLock() ABSL_SHARED_LOCK_FUNCTION() { pthread_rwlock_rdlock(&lock_); }
  void ReaderUnlock() ABSL_UNLOCK_FUNCTION() { pthread_rwlock_unlock(&lock_); }

 private:
  pthread_rwlock_t lock_;
};

// Holds a SharedMutex for reading.
class ABSL_SCOPED_LOCKABLE ReaderLock {
 public:
  explicit ReaderLock(SharedMutex& mutex) ABSL_SHARED_LOCK_FUNCTION(mutex) : mutex_(mutex) { mutex_.ReaderLock(); }
  ~ReaderLock() ABSL_UNLOCK_FUNCTION() { mutex_.ReaderUnlock(); }
  ReaderLock(const ReaderLock&) = delete;
  ReaderLock& operator=(const ReaderLock&) = delete;

 private:
  SharedMutex& mutex_;
};

// Holds a SharedMutex for writing.
class ABSL_SCOPED_LOCKABLE WriterLock {
 public:
  explicit WriterLock(SharedMutex& mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex) : mutex_(mutex) { mutex_.Lock(); }
  ~WriterLock() ABSL_UNLOCK_FUNCTION() { mutex_.Unlock(); }
  WriterLock(const WriterLock&) = delete;
  WriterLock& operator=(const WriterLock&) = delete;

 private:
  SharedMutex& mutex_;
};

}  // namespace lean

#endif  // LEAN_COMMON_CONCURRENCY_MUTEX_H_
