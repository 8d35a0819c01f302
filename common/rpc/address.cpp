#include "common/rpc/address.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace lean::rpc {
namespace {

constexpr size_t kMaxHostBytes = 253;  // of a DNS name

absl::Status BadAddress(absl::string_view text, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("bad address \"", text.substr(0, kMaxHostBytes), "\": ", why, "; expected HOST:PORT"));
}

bool IsLoopbackIpv4(absl::string_view host) {
  const std::vector<absl::string_view> parts = absl::StrSplit(host, '.');
  if (parts.size() != 4 || parts[0] != "127") return false;
  for (const absl::string_view part : parts) {
    uint32_t value = 0;
    if (!absl::SimpleAtoi(part, &value) || value > 255) return false;
  }
  return true;
}

}  // namespace

bool Address::IsLoopback() const { return host == "localhost" || host == "::1" || IsLoopbackIpv4(host); }

std::string Address::ToString() const {
  return absl::StrContains(host, ':') ? absl::StrCat("[", host, "]:", port) : absl::StrCat(host, ":", port);
}

absl::StatusOr<Address> ParseAddress(absl::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos) return BadAddress(text, "no port");
  absl::string_view host = text.substr(0, colon);
  const absl::string_view port_text = text.substr(colon + 1);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) {
    host = host.substr(1, host.size() - 2);
  } else if (absl::StrContains(host, ':')) {
    return BadAddress(text, "an IPv6 address needs brackets");
  }
  if (host.empty() || host.size() > kMaxHostBytes) return BadAddress(text, "no usable host");
  for (const char c : host) {
    if (!absl::ascii_isalnum(c) && !absl::StrContains(".-_:%", c)) return BadAddress(text, "no usable host");
  }
  uint32_t port = 0;
  if (port_text.empty() || !absl::ascii_isdigit(port_text.front()) || !absl::SimpleAtoi(port_text, &port) ||
      port > 65535) {
    return BadAddress(text, "the port is not a number from 0 to 65535");
  }
  return Address{std::string(host), static_cast<uint16_t>(port)};
}

absl::Status ProbeListen(const Address& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const std::string port = absl::StrCat(address.port);
  if (const int error = getaddrinfo(address.host.c_str(), port.c_str(), &hints, &found); error != 0) {
    return absl::UnavailableError(absl::StrCat("cannot resolve ", address.ToString(), ": ", gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(found, &freeaddrinfo);
  for (const addrinfo* info = found; info != nullptr; info = info->ai_next) {
    const int fd = socket(info->ai_family, info->ai_socktype | SOCK_CLOEXEC, info->ai_protocol);
    if (fd < 0) continue;
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    const bool listens = bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, 1) == 0;
    const int error = errno;
    close(fd);
    if (listens) continue;
    const absl::string_view advice = error == EADDRINUSE ? " (another process has this port; choose another)" : "";
    return absl::UnavailableError(
        absl::StrCat("cannot listen on ", address.ToString(), ": ", std::strerror(error), advice));
  }
  return absl::OkStatus();
}

}  // namespace lean::rpc
