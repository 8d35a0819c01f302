// Checks whether the listeners of this process answer.
#ifndef LEAN_COMMON_RPC_CONNECTIONS_LISTENER_WATCH_H_
#define LEAN_COMMON_RPC_CONNECTIONS_LISTENER_WATCH_H_

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "common/clock/clock.h"
#include "common/concurrency/mutex.h"
#include "common/log/logger.h"
#include "common/rpc/connections/address.h"

namespace lean::rpc {

// OK when the server at `address` answers or closes the connection. It is sent bytes of no protocol, so it must do one
// of the two. This tests the kernel, the accepting thread, TLS and the server. A wildcard address is tried on loopback.
// Unavailable: the connection failed. DeadlineExceeded: no reaction within `timeout`. Returns early when `stop` is
// requested.
absl::Status ProbeListener(const Address& address, const Clock& clock, std::chrono::milliseconds timeout,
                           std::stop_token stop = {});

// Probes each listener every kPeriod, and logs when one stops answering and when it answers again. Runs one thread.
// Thread-safe.
class ListenerWatch {
 public:
  static constexpr std::chrono::seconds kPeriod{10};
  static constexpr std::chrono::milliseconds kTimeout{5'000};

  // `clock` must outlive this object.
  ListenerWatch(Clock& clock, std::shared_ptr<spdlog::logger> log);
  ~ListenerWatch() = default;
  ListenerWatch(const ListenerWatch&) = delete;
  ListenerWatch& operator=(const ListenerWatch&) = delete;

  // `name` is the name in log and metrics: rpc, metrics, keymanager or signer.
  void Add(const std::string& name, const Address& address);

  struct State {
    std::string name;
    bool answers = true;  // at the last probe; true before the first
  };
  std::vector<State> states() const;

 private:
  struct Listener {
    State state;
    Address address;
  };

  void Run(std::stop_token stop);
  void Note(size_t index, const absl::Status& answer);

  Clock& clock_;
  const std::shared_ptr<spdlog::logger> log_;
  mutable Mutex mutex_;
  std::vector<Listener> listeners_ ABSL_GUARDED_BY(mutex_);  // only grows
  std::jthread thread_;                                      // the last member, because it uses the others
};

}  // namespace lean::rpc

#endif  // LEAN_COMMON_RPC_CONNECTIONS_LISTENER_WATCH_H_
