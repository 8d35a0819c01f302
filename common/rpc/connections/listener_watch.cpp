#include "common/rpc/connections/listener_watch.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/process/descriptors.h"
#include "common/status/status_macros.h"

namespace lean::rpc {
namespace {

constexpr absl::string_view kNoProtocol = "lean listener probe\r\n\r\n";
// The longest time until a request to stop is noticed.
constexpr std::chrono::milliseconds kStep{100};

struct Deadline {
  bool passed() const { return clock.Steady() >= time; }

  const Clock& clock;
  SteadyTime time;
};

absl::Status Failed(absl::string_view what, int error) {
  return absl::UnavailableError(absl::StrCat(what, ": ", std::strerror(error)));
}

absl::Status Await(int fd, short events, const Deadline& deadline, const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    pollfd waiting{.fd = fd, .events = events, .revents = 0};
    const int ready = poll(&waiting, 1, static_cast<int>(kStep.count()));
    if (ready > 0) return absl::OkStatus();
    if (ready < 0 && errno != EINTR) return Failed("poll", errno);
    if (deadline.passed()) return absl::DeadlineExceededError("no answer");
  }
  return absl::CancelledError("stopping");
}

absl::Status Talk(const Descriptor& fd, const sockaddr* to, socklen_t size, const Deadline& deadline,
                  const std::stop_token& stop) {
  if (!fd.valid()) return Failed("socket", errno);
  if (connect(fd.get(), to, size) != 0) {
    if (errno != EINPROGRESS) return Failed("connect", errno);
    RETURN_IF_ERROR(Await(fd.get(), POLLOUT, deadline, stop));
    int error = 0;
    socklen_t error_size = sizeof(error);
    getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &error_size);
    if (error != 0) return Failed("connect", error);
  }
  // If the connection was closed in the meantime, that counts as an answer.
  send(fd.get(), kNoProtocol.data(), kNoProtocol.size(), MSG_NOSIGNAL);
  return Await(fd.get(), POLLIN, deadline, stop);
}

std::string HostToProbe(const std::string& host) {
  if (host == "0.0.0.0") return "127.0.0.1";
  return host == "::" ? "localhost" : host;
}

}  // namespace

absl::Status ProbeListener(const Address& address, const Clock& clock, std::chrono::milliseconds timeout,
                           std::stop_token stop) {
  const Deadline deadline{clock, clock.Steady() + timeout};
  if (address.IsUnix()) {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    address.unix_path.copy(to.sun_path, sizeof(to.sun_path) - 1);
    const Descriptor fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    return Talk(fd, reinterpret_cast<const sockaddr*>(&to), sizeof(to), deadline, stop);
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string port = absl::StrCat(address.port);
  if (const int error = getaddrinfo(HostToProbe(address.host).c_str(), port.c_str(), &hints, &found); error != 0) {
    return absl::UnavailableError(absl::StrCat("cannot resolve ", address.ToString(), ": ", gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(found, &freeaddrinfo);
  absl::Status status;
  for (const addrinfo* info = found; info != nullptr; info = info->ai_next) {
    const Descriptor fd(socket(info->ai_family, info->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, info->ai_protocol));
    status = Talk(fd, info->ai_addr, info->ai_addrlen, deadline, stop);
    if (status.ok()) return status;
  }
  return status;
}

ListenerWatch::ListenerWatch(Clock& clock, std::shared_ptr<spdlog::logger> log)
    : clock_(clock), log_(std::move(log)), thread_([this](std::stop_token stop) { Run(std::move(stop)); }) {}

void ListenerWatch::Add(const std::string& name, const Address& address) {
  Listener listener;
  listener.state.name = name;
  listener.address = address;
  MutexLock lock(mutex_);
  listeners_.push_back(std::move(listener));
}

std::vector<ListenerWatch::State> ListenerWatch::states() const {
  std::vector<State> states;
  MutexLock lock(mutex_);
  for (const Listener& listener : listeners_) states.push_back(listener.state);
  return states;
}

void ListenerWatch::Run(std::stop_token stop) {
  while (clock_.WaitUntil(clock_.Steady() + kPeriod, stop)) {
    std::vector<Address> addresses;
    {
      MutexLock lock(mutex_);
      for (const Listener& listener : listeners_) addresses.push_back(listener.address);
    }
    for (size_t i = 0; i < addresses.size(); ++i) {
      const absl::Status answer = ProbeListener(addresses[i], clock_, kTimeout, stop);
      if (stop.stop_requested()) return;
      Note(i, answer);
    }
  }
}

void ListenerWatch::Note(size_t index, const absl::Status& answer) {
  Listener listener;
  {
    MutexLock lock(mutex_);
    if (std::exchange(listeners_[index].state.answers, answer.ok()) == answer.ok()) return;
    listener = listeners_[index];
  }
  if (answer.ok()) {
    log_->info("listener_answers_again name={} address={}", listener.state.name, listener.address.ToString());
  } else {
    log_->error("listener_silent name={} address={} reason=\"{}\"", listener.state.name, listener.address.ToString(),
                std::string(answer.message()));
  }
}

}  // namespace lean::rpc
