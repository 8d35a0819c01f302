#include "common/rpc/connections/connection_gate.h"

#include <arpa/inet.h>
#include <linux/tcp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/status/status_macros.h"

namespace lean::rpc {
namespace {

constexpr int kBacklog = 256;
// Connections accepted from one socket before the others, and Stop, are looked at.
constexpr int kAtOnce = 256;
// The pause while the machine has no descriptors or memory for a waiting connection, and between two checks of
// unfinished requests.
constexpr int kPauseMs = 100;

constexpr uint64_t kFewestConnections = 16;
constexpr uint64_t kMostConnections = 1024;

using AddressList = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

bool IsWildcard(const std::string& host) { return host == "0.0.0.0" || host == "::"; }

absl::StatusOr<AddressList> Resolve(const Address& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const std::string port = absl::StrCat(address.port);
  // Of both address families if the machine has both. IPv6's wildcard address includes IPv4.
  const char* host = IsWildcard(address.host) ? "::" : address.host.c_str();
  int error = getaddrinfo(host, port.c_str(), &hints, &found);
  if (error != 0 && IsWildcard(address.host)) error = getaddrinfo("0.0.0.0", port.c_str(), &hints, &found);
  if (error != 0) {
    return absl::UnavailableError(absl::StrCat("cannot resolve ", address.ToString(), ": ", gai_strerror(error)));
  }
  return AddressList(found, &freeaddrinfo);
}

void SetPort(sockaddr* address, uint16_t port) {
  if (address->sa_family == AF_INET6) {
    reinterpret_cast<sockaddr_in6*>(address)->sin6_port = htons(port);
  } else {
    reinterpret_cast<sockaddr_in*>(address)->sin_port = htons(port);
  }
}

// A socket for an IPv4 or IPv6 address.
uint16_t PortOfSocket(const sockaddr_storage& address) {
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                                             : reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

uint16_t PortOf(int fd) {
  sockaddr_storage bound{};
  socklen_t size = sizeof(bound);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) != 0) return 0;
  return PortOfSocket(bound);
}

// An invalid descriptor, with errno set, if it cannot listen.
Descriptor ListenOn(const addrinfo& info) {
  Descriptor fd(socket(info.ai_family, info.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, info.ai_protocol));
  if (!fd.valid()) return fd;
  const int on = 1;
  const int off = 0;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  // Accepted connections inherit it.
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (info.ai_family == AF_INET6) setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
  if (bind(fd.get(), info.ai_addr, info.ai_addrlen) == 0 && listen(fd.get(), kBacklog) == 0) return fd;
  return Descriptor();
}

// "10.0.0.1", also for an IPv4 address on a socket of both families. Empty for a unix socket.
std::string HostOf(const sockaddr_storage& peer) {
  if (peer.ss_family != AF_INET && peer.ss_family != AF_INET6) return "";
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* bytes = &reinterpret_cast<const sockaddr_in&>(peer).sin_addr;
  if (peer.ss_family == AF_INET6) bytes = &reinterpret_cast<const sockaddr_in6&>(peer).sin6_addr;
  if (inet_ntop(peer.ss_family, bytes, text.data(), text.size()) == nullptr) return "";
  return std::string(absl::StripPrefix(text.data(), "::ffff:"));
}

GateOptions WithDefaults(GateOptions options) {
  const ConnectionLimits defaults = DefaultConnectionLimits();
  if (options.limits.total == 0) options.limits.total = defaults.total;
  if (options.limits.per_host == 0) options.limits.per_host = (options.limits.total + 1) / 2;
  if (options.max_descriptors == 0) options.max_descriptors = static_cast<int>(DescriptorLimit() / 4 * 3);
  return options;
}

}  // namespace

ConnectionLimits DefaultConnectionLimits() {
  const size_t total = std::clamp<uint64_t>(DescriptorLimit() / 4, kFewestConnections, kMostConnections);
  return {.total = total, .per_host = total / 2};
}

absl::StatusOr<std::unique_ptr<ConnectionGate>> ConnectionGate::Open(const Address& address, GateOptions options) {
  std::unique_ptr<ConnectionGate> gate(new ConnectionGate(address, WithDefaults(std::move(options))));
  RETURN_IF_ERROR(gate->Listen());
  return gate;
}

ConnectionGate::ConnectionGate(Address address, GateOptions options)
    : address_(std::move(address)),
      options_(std::move(options)),
      open_(options_.limits, options_.unfinished, options_.requests) {}

absl::Status ConnectionGate::Listen() {
  stop_ = Descriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!stop_.valid()) return absl::UnavailableError(absl::StrCat("eventfd: ", std::strerror(errno)));
  return address_.IsUnix() ? ListenUnix() : ListenTcp();
}

absl::Status ConnectionGate::ListenTcp() {
  ASSIGN_OR_RETURN(const AddressList found, Resolve(address_));
  for (addrinfo* info = found.get(); info != nullptr; info = info->ai_next) {
    SetPort(info->ai_addr, address_.port);
    Descriptor listener = ListenOn(*info);
    if (!listener.valid()) return CannotListen(address_, errno);
    address_.port = PortOf(listener.get());
    listeners_.push_back(std::move(listener));
  }
  return absl::OkStatus();
}

absl::Status ConnectionGate::ListenUnix() {
  RETURN_IF_ERROR(CheckUnixSocket(address_));
  unlink(address_.unix_path.c_str());  // left by a process that has ended, as the check has shown
  Descriptor listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un bound{};
  bound.sun_family = AF_UNIX;
  address_.unix_path.copy(bound.sun_path, sizeof(bound.sun_path) - 1);
  if (!listener.valid() || bind(listener.get(), reinterpret_cast<const sockaddr*>(&bound), sizeof(bound)) != 0 ||
      listen(listener.get(), kBacklog) != 0) {
    return CannotListen(address_, errno);
  }
  listeners_.push_back(std::move(listener));
  return absl::OkStatus();
}

ConnectionGate::~ConnectionGate() { Stop(); }

void ConnectionGate::Start(Take take) {
  take_ = std::move(take);
  thread_ = std::thread([this] { Run(); });
}

void ConnectionGate::Stop() {
  if (thread_.joinable()) {
    eventfd_write(stop_.get(), 1);
    thread_.join();
  }
  if (address_.IsUnix() && !listeners_.empty()) unlink(address_.unix_path.c_str());
  listeners_.clear();
}

void ConnectionGate::Run() {
  std::vector<pollfd> waiting = {{.fd = stop_.get(), .events = POLLIN, .revents = 0}};
  for (const Descriptor& listener : listeners_)
    waiting.push_back({.fd = listener.get(), .events = POLLIN, .revents = 0});
  bool short_of_something = false;
  while (true) {
    // During a pause it only watches for Stop.
    const bool counts = options_.requests != nullptr && open_.size() > 0;
    const int pause_ms = short_of_something || counts ? kPauseMs : -1;
    const int ready = poll(waiting.data(), short_of_something ? 1 : waiting.size(), pause_ms);
    if (ready < 0 && errno != EINTR) return;
    if (waiting[0].revents != 0) return;
    open_.EndUnfinished(clock_.Steady());
    short_of_something = false;
    for (size_t i = 1; i < waiting.size(); ++i) short_of_something |= !AcceptAll(waiting[i].fd);
  }
}

bool ConnectionGate::AcceptAll(int listener) {
  for (int i = 0; i < kAtOnce; ++i) {
    sockaddr_storage peer{};
    socklen_t size = sizeof(peer);
    Descriptor fd(accept4(listener, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd.valid()) {
      if (errno == ECONNABORTED || errno == EINTR) continue;
      return errno == EAGAIN || errno == EWOULDBLOCK;
    }
    // The system gives the lowest free descriptor, so its number is a lower bound of how many are open.
    if (fd.get() >= options_.max_descriptors) continue;
    const std::string host = HostOf(peer);
    const auto now = clock_.Steady();
    if (!open_.HasRoom(host, now)) continue;
    open_.Add(fd.get(), host, RequestBytes::NameOf(host, PortOfSocket(peer)), now);
    take_(std::move(fd), listener);
  }
  return true;
}

}  // namespace lean::rpc
