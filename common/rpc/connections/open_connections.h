// The open connections of a server, the requests that each has brought, and which of them are shut down.
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

// What a connection has brought beyond that are requests that are not whole yet: gRPC reads them, up to the largest
// size and as many at once as a connection may have calls, and tells nobody. Thread-safe.
class RequestBytes {
 public:
  // "10.0.0.1:4711" or "::1:4711", as both ends name it.
  static std::string NameOf(absl::string_view host, uint16_t port);

  void Open(const std::string& name);
  void Close(const std::string& name);

  // A whole request of a connection, as grpc::ServerContext::peer() names it. Others than open ones are ignored.
  void Count(absl::string_view peer, size_t bytes);
  // An answer to it, which its reader pays for with frames that grant room for more.
  void CountAnswer(absl::string_view peer, size_t bytes);
  // What the connection was counted since the last call, with what HTTP/2 and TLS take for it at most.
  uint64_t Take(const std::string& name);

 private:
  void Add(absl::string_view peer, uint64_t bytes);

  Mutex mutex_;
  absl::flat_hash_map<std::string, uint64_t> counted_ ABSL_GUARDED_BY(mutex_);  // by name of the open ones
};

struct ConnectionLimits {
  size_t total = 0;
  size_t per_host = 0;
  // Older ones may be shut down when there is no room: for servers whose connections are short. 0: none for its age.
  std::chrono::seconds max_age{0};
};

// What may have come of requests that are not whole: of one connection, and of all.
struct UnfinishedLimits {
  uint64_t connection_bytes = uint64_t{48} << 20;  // three requests of the largest size
  uint64_t bytes = uint64_t{256} << 20;
};

// Who takes a connection over closes it without telling, so the kernel is asked: a connection is open as long as its
// descriptor has the same socket. It is asked when the limits are reached, every kSweepPause at most. Not thread-safe.
class OpenConnections {
 public:
  using Time = std::chrono::steady_clock::time_point;

  static constexpr std::chrono::milliseconds kSweepPause{100};
  // Who connects has something to say at once. Who has spoken says something now and then: clients of ours ping every
  // 10 s.
  static constexpr std::chrono::milliseconds kMaxMute{1'000};
  static constexpr std::chrono::milliseconds kMaxSilence{30'000};

  static constexpr std::chrono::milliseconds kUnfinishedPause{100};

  // `requests`: whole ones, as whoever takes connections over counts them. Null: they do not, and EndUnfinished does
  // nothing.
  OpenConnections(const ConnectionLimits& limits, const UnfinishedLimits& unfinished,
                  std::shared_ptr<RequestBytes> requests)
      : limits_(limits), unfinished_(unfinished), requests_(std::move(requests)) {}
  ~OpenConnections();
  OpenConnections(const OpenConnections&) = delete;
  OpenConnections& operator=(const OpenConnections&) = delete;

  // Whether one more from this host is within the limits. When it is not, TCP connections that show no life are shut
  // down, so that there is room soon.
  bool HasRoom(const std::string& host, Time now);

  // `fd` is a connected socket, about to be handed to whoever closes it. `name`: as of RequestBytes.
  void Add(int fd, const std::string& host, const std::string& name, Time now);

  // Shuts connections down that have too much unfinished. When all together have, those that have had some for longest:
  // whoever sends whole requests is done with each in a moment. Looks every kUnfinishedPause at most.
  void EndUnfinished(Time now);

  // Those that are not known to be closed.
  size_t size() const { return connections_.size(); }

 private:
  struct Connection {
    ino_t socket = 0;
    std::string host;
    std::string name;
    Time since;
    uint64_t received = 0;   // bytes
    int64_t unfinished = 0;  // of these, of requests that are not whole
    Time finished;           // when it had next to none last
  };

  bool Fits(const std::string& host) const;
  // Whether a connection, open for `age`, may be shut down to make room.
  bool IsLifeless(int fd, std::chrono::milliseconds age) const;
  void Forget(int fd);
  // Forgets what was closed.
  void Sweep();
  void ShutDownLifeless(Time now);

  // Brings `unfinished` of all up to date, and returns their sum.
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
