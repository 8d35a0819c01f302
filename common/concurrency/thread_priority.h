// Priorities of threads, by nice(7) values: 0 is normal, 19 is the lowest.
#ifndef LEAN_COMMON_CONCURRENCY_THREAD_PRIORITY_H_
#define LEAN_COMMON_CONCURRENCY_THREAD_PRIORITY_H_

#include <sys/resource.h>
#include <unistd.h>

namespace lean {

// Lowers the priority of this thread to `nice`. Has no effect if it is lower already, or if the system refuses.
inline void LowerThreadPriority(int nice) {
  const auto thread = static_cast<id_t>(gettid());
  if (getpriority(PRIO_PROCESS, thread) < nice) setpriority(PRIO_PROCESS, thread, nice);
}

}  // namespace lean

#endif  // LEAN_COMMON_CONCURRENCY_THREAD_PRIORITY_H_
