#include "common/process/stop_signals.h"

namespace lean {

StopSignals::StopSignals() {
  std::signal(SIGPIPE, SIG_IGN);
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGINT);
  sigaddset(&signals_, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
}

const char* StopSignals::Wait() {
  int signal = 0;
  while (sigwait(&signals_, &signal) != 0) {
  }
  return Taken(signal);
}

const char* StopSignals::WaitFor(std::chrono::milliseconds timeout) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout);
  const std::chrono::nanoseconds rest = timeout - seconds;
  const timespec limit{.tv_sec = seconds.count(), .tv_nsec = rest.count()};
  const int signal = sigtimedwait(&signals_, nullptr, &limit);
  return signal > 0 ? Taken(signal) : nullptr;
}

const char* StopSignals::Taken(int signal) {
  pthread_sigmask(SIG_UNBLOCK, &signals_, nullptr);
  return signal == SIGINT ? "SIGINT" : "SIGTERM";
}

}  // namespace lean
