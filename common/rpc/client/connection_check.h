// Says why a server cannot be reached with TLS, or without it. gRPC only says that the connection failed.
#ifndef LEAN_COMMON_RPC_CLIENT_CONNECTION_CHECK_H_
#define LEAN_COMMON_RPC_CLIENT_CONNECTION_CHECK_H_

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "common/clock/clock.h"
#include "common/concurrency/mutex.h"
#include "common/concurrency/worker_pool.h"
#include "common/rpc/tls_files.h"

namespace lean::rpc {

// Connects to `address` (HOST:PORT) as a client with these files would, and returns what is wrong and what to do:
// a certificate that has ended, is of another authority, or is not for this host; a server that wants a certificate or
// refuses ours; TLS against plain text. Empty: none of these is found, or the address does not answer within `timeout`.
// Blocks for that long at most, besides the look-up of a name.
std::string ExplainConnection(const std::string& address, const ClientTlsFiles& files,
                              std::chrono::milliseconds timeout);

// Adds the explanation to an error of a call that may mean that there was no connection. Blocks for seconds at most.
absl::Status WithExplanation(const absl::Status& status, const std::string& address, const ClientTlsFiles& files);

// The same without blocking: asks in the background, at most once every kPause, and adds what it knows by then. Runs
// one thread. Thread-safe.
class ConnectionCheck {
 public:
  static constexpr std::chrono::seconds kPause{10};

  ConnectionCheck(std::string address, ClientTlsFiles files) : address_(std::move(address)), files_(std::move(files)) {}
  ConnectionCheck(const ConnectionCheck&) = delete;
  ConnectionCheck& operator=(const ConnectionCheck&) = delete;

  absl::Status Explain(const absl::Status& status);

 private:
  void Check();

  const std::string address_;
  const ClientTlsFiles files_;
  const RealClock clock_;  // connections take real time
  Mutex mutex_;
  std::string why_ ABSL_GUARDED_BY(mutex_);                    // of the last check
  std::optional<SteadyTime> checked_ ABSL_GUARDED_BY(mutex_);  // when it began
  WorkerPool worker_{1, 1};                                    // last: uses the members above
};

}  // namespace lean::rpc

#endif  // LEAN_COMMON_RPC_CLIENT_CONNECTION_CHECK_H_
