// A server's connections: how many are open, from whom, and which of them show no life.
#ifndef LEAN_COMMON_RPC_OPEN_CONNECTIONS_H_
#define LEAN_COMMON_RPC_OPEN_CONNECTIONS_H_

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "common/rpc/request_bytes.h"

namespace lean::rpc {

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

#endif  // LEAN_COMMON_RPC_OPEN_CONNECTIONS_H_
