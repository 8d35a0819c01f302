#include "common/rpc/open_connections.h"

#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <optional>
#include <utility>
#include <vector>

#include "common/process/descriptors.h"

namespace lean::rpc {
namespace {

// The inode of the socket that this descriptor has now; nullopt when it has none.
std::optional<ino_t> SocketOf(int fd) {
  struct stat info {};
  if (fstat(fd, &info) != 0 || !S_ISSOCK(info.st_mode)) return std::nullopt;
  return info.st_ino;
}

}  // namespace

bool OpenConnections::HasRoom(const std::string& host, Time now) {
  if (Fits(host)) return true;
  if (now < next_sweep_) return false;
  next_sweep_ = now + kSweepPause;
  Sweep();
  if (Fits(host)) return true;
  ShutDownLifeless(now);
  return false;
}

void OpenConnections::Add(int fd, const std::string& host, Time now) {
  Forget(fd);  // the descriptor is given anew, so the connection that had it was closed
  connections_[fd] = {.socket = SocketOf(fd).value_or(0), .host = host, .since = now};
  ++by_host_[host];
}

bool OpenConnections::Fits(const std::string& host) const {
  if (connections_.size() >= limits_.total) return false;
  const auto own = by_host_.find(host);
  return own == by_host_.end() || own->second < limits_.per_host;
}

bool OpenConnections::IsLifeless(int fd, std::chrono::milliseconds age) const {
  if (limits_.max_age.count() > 0 && age > limits_.max_age) return true;
  tcp_info info{};
  socklen_t size = sizeof(info);
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return false;
  if (info.tcpi_bytes_received == 0) return age > kMaxMute;
  return std::chrono::milliseconds(info.tcpi_last_data_recv) > kMaxSilence;
}

void OpenConnections::Forget(int fd) {
  const auto known = connections_.find(fd);
  if (known == connections_.end()) return;
  const auto host = by_host_.find(known->second.host);
  if (--host->second == 0) by_host_.erase(host);
  connections_.erase(known);
}

void OpenConnections::Sweep() {
  std::vector<int> closed;
  for (const auto& [fd, connection] : connections_) {
    if (SocketOf(fd) != connection.socket) closed.push_back(fd);
  }
  for (const int fd : closed) Forget(fd);
}

void OpenConnections::ShutDownLifeless(Time now) {
  for (const auto& [fd, connection] : connections_) {
    const auto age = std::chrono::duration_cast<std::chrono::milliseconds>(now - connection.since);
    if (!IsLifeless(fd, age)) continue;
    // With a descriptor of our own, so that it stays the socket that we look at: others may close theirs meanwhile.
    const Descriptor own(fcntl(fd, F_DUPFD_CLOEXEC, 0));
    if (own.valid() && SocketOf(own.get()) == connection.socket && IsLifeless(own.get(), age)) {
      shutdown(own.get(), SHUT_RDWR);
    }
  }
}

}  // namespace lean::rpc
