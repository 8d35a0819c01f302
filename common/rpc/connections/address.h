// HOST:PORT, or unix:PATH, as the command lines have it.
#ifndef LEAN_COMMON_RPC_CONNECTIONS_ADDRESS_H_
#define LEAN_COMMON_RPC_CONNECTIONS_ADDRESS_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace lean::rpc {

struct Address {
  std::string host;            // a name, an IPv4 address, or an IPv6 address without its brackets
  uint16_t port = 0;           // 0: the system chooses, for servers only
  std::string unix_path = {};  // of a socket, absolute; then host and port are not used

  bool IsUnix() const { return !unix_path.empty(); }
  // Reachable from this machine alone: a unix socket, localhost, 127.0.0.0/8, ::1.
  bool IsLoopback() const;
  // HOST:PORT, an IPv6 host in brackets, or unix:PATH.
  std::string ToString() const;
};

// InvalidArgument names the text and what is wrong with it.
absl::StatusOr<Address> ParseAddress(absl::string_view text);

// Whether this process may listen on `address`, a unix socket: its folder is this user's and closed to everybody else
// (0700), and nothing stands at the path but a socket that nobody serves any more.
absl::Status CheckUnixSocket(const Address& address);

// That this process cannot listen there, by the errno of what failed, with what to do.
absl::Status CannotListen(const Address& address, int error);

// What is wrong with the value of an option; empty: nothing.
inline std::string AddressError(const std::string& text) { return std::string(ParseAddress(text).status().message()); }

}  // namespace lean::rpc

#endif  // LEAN_COMMON_RPC_CONNECTIONS_ADDRESS_H_
