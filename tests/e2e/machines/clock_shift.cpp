// A clock that is wrong, for one process: preloaded (LD_PRELOAD), it adds LEAN_CLOCK_SHIFT_MS milliseconds to what the
// C library's functions say of the real time, and takes them off the absolute times that waits are given. Monotonic
// time is as it is. What asks the kernel by itself, as no program here does, sees the true time.
// LEAN_CLOCK_SHIFT_FILE names a file instead, of eight bytes that hold the shift as the machine holds an int64: whoever
// writes there sets the clock of a running process. A wait that has begun keeps the time it was given.
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cstdarg>
#include <cstdint>
#include <cstdlib>

namespace {

constexpr int64_t kSecond = 1'000'000'000;

// The file's content; null when there is none.
volatile const int64_t* SharedShiftMs() {
  static volatile const int64_t* const shared = []() -> volatile const int64_t* {
    const char* path = getenv("LEAN_CLOCK_SHIFT_FILE");
    const int file = path == nullptr ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return nullptr;
    void* content = mmap(nullptr, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
    close(file);
    return content == MAP_FAILED ? nullptr : static_cast<const int64_t*>(content);
  }
  ();
  return shared;
}

int64_t ShiftNs() {
  static const int64_t fixed_ms = [] {
    const char* text = getenv("LEAN_CLOCK_SHIFT_MS");
    return text == nullptr ? 0 : strtoll(text, nullptr, 10);
  }();
  const volatile int64_t* shared_ms = SharedShiftMs();
  return (shared_ms == nullptr ? fixed_ms : *shared_ms) * 1'000'000;
}

timespec Moved(const timespec& time, int64_t by_ns) {
  const int64_t ns = time.tv_nsec + by_ns;
  const int64_t seconds = ns / kSecond - (ns % kSecond < 0 ? 1 : 0);
  return {.tv_sec = time.tv_sec + seconds, .tv_nsec = ns - seconds * kSecond};
}

template <typename Function>
Function Next(const char* name, const char* version) {
  return reinterpret_cast<Function>(version == nullptr ? dlsym(RTLD_NEXT, name) : dlvsym(RTLD_NEXT, name, version));
}

bool IsReal(clockid_t clock) { return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE; }

// Whether a condition variable's waits are by the real clock: the bit that pthread_cond_init keeps of its attribute.
bool WaitsByRealClock(const pthread_cond_t* condition) { return (condition->__data.__wrefs & 2) == 0; }

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  static const auto next = Next<int (*)(clockid_t, timespec*)>("clock_gettime", nullptr);
  const int result = next(clock, time);
  if (result == 0 && IsReal(clock)) *time = Moved(*time, ShiftNs());
  return result;
}

int gettimeofday(timeval* time, void*) noexcept {
  timespec now{};
  const int result = clock_gettime(CLOCK_REALTIME, &now);
  *time = {.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
  return result;
}

time_t time(time_t* out) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (out != nullptr) *out = now.tv_sec;
  return now.tv_sec;
}

int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex, const timespec* deadline) {
  static const auto next =
      Next<int (*)(pthread_cond_t*, pthread_mutex_t*, const timespec*)>("pthread_cond_timedwait", "GLIBC_2.3.2");
  const timespec moved = Moved(*deadline, -ShiftNs());
  return next(condition, mutex, WaitsByRealClock(condition) ? &moved : deadline);
}

int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock,
                           const timespec* deadline) {
  static const auto next =
      Next<int (*)(pthread_cond_t*, pthread_mutex_t*, clockid_t, const timespec*)>("pthread_cond_clockwait", nullptr);
  const timespec moved = Moved(*deadline, -ShiftNs());
  return next(condition, mutex, clock, IsReal(clock) ? &moved : deadline);
}

int clock_nanosleep(clockid_t clock, int flags, const timespec* time, timespec* left) {
  static const auto next = Next<int (*)(clockid_t, int, const timespec*, timespec*)>("clock_nanosleep", nullptr);
  const timespec moved = Moved(*time, -ShiftNs());
  return next(clock, flags, IsReal(clock) && (flags & TIMER_ABSTIME) != 0 ? &moved : time, left);
}

// Abseil waits on futexes until an absolute real time.
long syscall(long number, ...) noexcept {
  static const auto next = Next<long (*)(long, ...)>("syscall", nullptr);
  va_list list;
  va_start(list, number);
  long arguments[6];
  for (long& argument : arguments) argument = va_arg(list, long);
  va_end(list);
  timespec moved{};
  if (number == SYS_futex && (arguments[1] & FUTEX_CLOCK_REALTIME) != 0 && arguments[3] != 0) {
    moved = Moved(*reinterpret_cast<const timespec*>(arguments[3]), -ShiftNs());
    arguments[3] = reinterpret_cast<long>(&moved);
  }
  return next(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
}

}  // extern "C"
