// One HTTP request to a server that is not trusted.
#ifndef LEAN_BEACON_HTTP_CLIENT_HTTP_GET_H_
#define LEAN_BEACON_HTTP_CLIENT_HTTP_GET_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <string>

#include "absl/status/statusor.h"
#include "common/rpc/connections/address.h"

namespace lean::beacon {

struct HttpGetLimits {
  size_t bytes = size_t{16} << 20;                 // of the body
  std::chrono::milliseconds pause{20'000};         // without any progress
  std::chrono::milliseconds free_time{60'000};     // after this the body must have come at the least speed
  uint64_t bytes_per_second = uint64_t{64} << 10;  // the least speed
};

// Returns the body of the answer to GET `path`. Blocks. Errors contain the address:
//   Unavailable         it cannot be reached, or closes the connection too early
//   DeadlineExceeded    it is too slow
//   InvalidArgument     it does not speak HTTP, or its answer has another status than 200 or too many bytes
//   Cancelled           `stop` was requested
absl::StatusOr<std::string> HttpGet(const rpc::Address& address, const std::string& path, const HttpGetLimits& limits,
                                    const std::stop_token& stop);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_HTTP_CLIENT_HTTP_GET_H_
