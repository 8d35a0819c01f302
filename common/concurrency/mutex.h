// The locks of this project, with the annotations of clang's thread safety analysis: a member names the lock that
// guards it (ABSL_GUARDED_BY), a function names the lock that it needs (ABSL_EXCLUSIVE_LOCKS_REQUIRED), and the linter
// refuses code that uses one without the lock.
//
// absl::Mutex is not used because Debian builds Abseil without the thread sanitizer, which then reports false races,
// and because its timeouts follow the wall clock, which may jump. The locks of the standard library have no
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

// Holds a Mutex during its lifetime, except between Unlock() and Lock().
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

// Waits for a change of data that a Mutex guards. A wait releases the mutex and holds it again when it returns.
// Durations are measured by a steady clock. A predicate reads guarded data, so its lambda needs an annotation:
//   changed_.Wait(mutex_, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !values_.empty(); });
class CondVar {
 public:
  void NotifyOne() { condition_.notify_one(); }
  void NotifyAll() { condition_.notify_all(); }

  // Waits until the predicate holds.
  template <typename Predicate>
  void Wait(Mutex& mutex, Predicate holds) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    condition_.wait(mutex.mutex_, std::move(holds));
  }
  // Also ends when `stop` is requested. Returns whether the predicate holds.
  template <typename Predicate>
  bool Wait(Mutex& mutex, std::stop_token stop, Predicate holds) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    return condition_.wait(mutex.mutex_, std::move(stop), std::move(holds));
  }
  // Also ends after a time. Returns whether the predicate holds.
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

// A readers-writer lock whose writers do not starve. With glibc's std::shared_mutex, overlapping readers can keep a
// writer waiting without end; here new readers wait behind a waiting writer. A thread must therefore not lock for
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
