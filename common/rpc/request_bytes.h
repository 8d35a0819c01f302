// How many bytes of whole requests each connection of a server has brought.
#ifndef LEAN_COMMON_RPC_REQUEST_BYTES_H_
#define LEAN_COMMON_RPC_REQUEST_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "common/concurrency/mutex.h"

namespace lean::rpc {

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

}  // namespace lean::rpc

#endif  // LEAN_COMMON_RPC_REQUEST_BYTES_H_
