// Repeats what an operator must not forget: certificates that end soon, and servers that are open to everybody.
#ifndef LEAN_COMMON_RPC_SECURITY_WATCH_H_
#define LEAN_COMMON_RPC_SECURITY_WATCH_H_

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "common/clock/clock.h"
#include "common/concurrency/mutex.h"
#include "common/log/logger.h"
#include "common/rpc/tls_files.h"

namespace lean::rpc {

class Server;

// Looks at TLS files every kPeriod, so that changed ones are noticed without a connection. Logs at once, and then every
// kRepeat: a certificate that has ended or ends within kSoon, and a server that is open to everybody. Runs one thread.
// Thread-safe.
class SecurityWatch {
 public:
  static constexpr std::chrono::seconds kPeriod{2};
  static constexpr std::chrono::hours kRepeat{1};
  static constexpr absl::Duration kSoon = absl::Hours(14 * 24);

  // `clock` must outlive this object.
  SecurityWatch(Clock& clock, std::shared_ptr<spdlog::logger> log);
  ~SecurityWatch() = default;
  SecurityWatch(const SecurityWatch&) = delete;
  SecurityWatch& operator=(const SecurityWatch&) = delete;

  // `files` may be null.
  void Add(std::shared_ptr<TlsFiles> files);
  // The server's files, and the server itself if it is open.
  void Add(const Server& server);

  struct Certificate {
    std::string name;  // of its TlsFiles
    absl::Time end;    // when the first certificate of these files ends
  };
  std::vector<Certificate> certificates() const;

 private:
  struct Watched {
    std::shared_ptr<TlsFiles> files;  // null: an open server
    std::string name;
    std::string address;                    // of an open server
    std::optional<SteadyTime> logged = {};  // the last time
    bool ended = false;                     // as it was logged
  };

  void AddWatched(Watched watched);
  void Run(std::stop_token stop);
  void Look();
  void LookAt(Watched& watched) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Clock& clock_;
  const std::shared_ptr<spdlog::logger> log_;
  mutable Mutex mutex_;
  std::vector<Watched> watched_ ABSL_GUARDED_BY(mutex_);
  std::jthread thread_;  // last: uses the members above
};

}  // namespace lean::rpc

#endif  // LEAN_COMMON_RPC_SECURITY_WATCH_H_
