// The open connections of a server, the bytes of requests of each, and which of them are shut down.
#ifndef LEAN_COMMON_RPC_CONNECTIONS_OPEN_CONNECTIONS_H_
#define LEAN_COMMON_RPC_CONNECTIONS_OPEN_CONNECTIONS_H_

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "common/concurrency/mutex.h"

namespace lean::rpc {

// What a TCP connection of this process has received since it was made, within TLS as well. nullopt: `fd` is no TCP
// connection.
std::optional<uint64_t> BytesReceived(int fd);

// The other bytes that a connection has sent belong to incomplete requests. gRPC reads these, up to the maximum size
// and as many at once as a connection may have calls, and does not report them. Thread-safe.
class RequestBytes {
 public:
  // "10.0.0.1:4711" or "::1:4711", the same name at both ends.
  static std::string NameOf(absl::string_view host, uint16_t port);

  void Open(const std::string& name);
  void Close(const std::string& name);

  // Counts a complete request of a connection, which is named as by grpc::ServerContext::peer(). Ignored if the
  // connection is not open.
  void Count(absl::string_view peer, size_t bytes);
  // Counts an answer: its reader sends window updates for it.
  void CountAnswer(absl::string_view peer, size_t bytes);
  // The bytes counted for the connection since the last call, plus the most that HTTP/2 and TLS add to them.
  uint64_t Take(const std::string& name);

 private:
  void Add(absl::string_view peer, uint64_t bytes);

  Mutex mutex_;
  absl::flat_hash_map<std::string, uint64_t> counted_ ABSL_GUARDED_BY(mutex_);  // by name of the open ones
};

struct ConnectionLimits {
  size_t total = 0;
  size_t per_host = 0;
  // Connections older than this may be shut down to make room, for servers with short connections. 0: not because of
  // their age.
  std::chrono::seconds max_age{0};
};

// Limits on the bytes of incomplete requests: for one connection and for all.
struct UnfinishedLimits {
  uint64_t connection_bytes = uint64_t{48} << 20;  // three requests of the largest size
  uint64_t bytes = uint64_t{256} << 20;
};

// The server closes connections without notice, so the kernel is asked: a connection is open as long as its descriptor
// has the same socket. The kernel is asked when the limits are reached, at most once every kSweepPause. Not
// thread-safe.
class OpenConnections {
 public:
  using Time = std::chrono::steady_clock::time_point;

  static constexpr std::chrono::milliseconds kSweepPause{100};
  // A client must send something soon after it has connected, and then from time to time. Our clients ping every 10 s.
  static constexpr std::chrono::milliseconds kMaxMute{1'000};
  static constexpr std::chrono::milliseconds kMaxSilence{30'000};

  static constexpr std::chrono::milliseconds kUnfinishedPause{100};

  // `requests`: complete requests as the server counts them. Null: they are not counted, and EndUnfinished does
  // nothing.
  OpenConnections(const ConnectionLimits& limits, const UnfinishedLimits& unfinished,
                  std::shared_ptr<RequestBytes> requests)
      : limits_(limits), unfinished_(unfinished), requests_(std::move(requests)) {}
  ~OpenConnections();
  OpenConnections(const OpenConnections&) = delete;
  OpenConnections& operator=(const OpenConnections&) = delete;

  // Whether one more connection of this host is within the limits. If not, idle TCP connections are shut down to make
  // room.
  bool HasRoom(const std::string& host, Time now);

  // `fd` is a connected socket, which is about to be passed to the server. `name`: see RequestBytes.
  void Add(int fd, const std::string& host, const std::string& name, Time now);

  // Shuts down connections with too many unfinished bytes. If all together have too many, it shuts down those that have
  // had some for the longest time, because complete requests are finished quickly. Checks at most once every
  // kUnfinishedPause.
  void EndUnfinished(Time now);

  // The number of connections that are not known to be closed.
  size_t size() const { return connections_.size(); }

 private:
  struct Connection {
    ino_t socket = 0;
    std::string host;
    std::string name;
    Time since;
    uint64_t received = 0;   // bytes
    int64_t unfinished = 0;  // those of incomplete requests
    Time finished;           // the last time when it had almost none
  };

  bool Fits(const std::string& host) const;
  // Whether a connection that is open for `age` may be shut down to make room.
  bool IsLifeless(int fd, std::chrono::milliseconds age) const;
  void Forget(int fd);
  // Removes closed connections.
  void Sweep();
  void ShutDownLifeless(Time now);

  // Updates `unfinished` of all connections and returns the sum.
  uint64_t CountUnfinished(Time now);
  static void ShutDown(int fd, const Connection& connection);

  const ConnectionLimits limits_;
  const UnfinishedLimits unfinished_;
  const std::shared_ptr<RequestBytes> requests_;
  absl::flat_hash_map<int, Connection> connections_;  // by descriptor
  absl::flat_hash_map<std::string, size_t> by_host_;  // none is 0
  Time next_sweep_{};
  Time next_unfinished_{};
};

}  // namespace lean::rpc

#endif  // LEAN_COMMON_RPC_CONNECTIONS_OPEN_CONNECTIONS_H_
