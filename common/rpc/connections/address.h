// The address of a server: HOST:PORT or unix:PATH.
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
  uint16_t port = 0;           // 0: the system chooses a port (servers only)
  std::string unix_path = {};  // absolute path of a unix socket; if it is set, host and port are not used

  bool IsUnix() const { return !unix_path.empty(); }
  // True when only this machine can reach it: a unix socket, localhost, 127.0.0.0/8, ::1.
  bool IsLoopback() const;
  // HOST:PORT (an IPv6 host in brackets) or unix:PATH.
  std::string ToString() const;
};

// InvalidArgument: the text is no address; the error contains it and the reason.
absl::StatusOr<Address> ParseAddress(absl::string_view text);

// OK when this process may listen on `address`, a unix socket: its folder belongs to this user and has mode 0700, and
// the path is free or holds a socket that no process serves any more.
absl::Status CheckUnixSocket(const Address& address);

// The error that this process cannot listen on an address. `error` is the errno of the failed call; the message says
// what to do.
absl::Status CannotListen(const Address& address, int error);

// Returns what is wrong with the value of an option, or an empty string.
inline std::string AddressError(const std::string& text) { return std::string(ParseAddress(text).status().message()); }

}  // namespace lean::rpc

#endif  // LEAN_COMMON_RPC_CONNECTIONS_ADDRESS_H_
