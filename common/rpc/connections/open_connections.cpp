#include "common/rpc/connections/open_connections.h"

#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/process/descriptors.h"

namespace lean::rpc {
namespace {

// A frame of 16 KiB has a header of 9 bytes; a TLS record has 29 bytes more than its content. A call has about 100
// bytes of headers, each in a separate record.
constexpr size_t kFrameShare = 256;
constexpr size_t kCallBytes = 256;
// For an answer: 84 bytes in two TLS records for each 32 KiB that were read.
constexpr size_t kGrantShare = 256;

// "ipv4:10.0.0.1:4711", "ipv6:%5Bfe80::1%25eth0%5D:4711"
std::string NameOfPeer(absl::string_view peer) {
  const size_t scheme = peer.find(':');
  const size_t port = peer.rfind(':');
  if (scheme == absl::string_view::npos || port <= scheme) return "";
  absl::string_view host = peer.substr(scheme + 1, port - scheme - 1);
  host = host.substr(0, host.find("%25"));
  return absl::StrCat(absl::StrReplaceAll(host, {{"%5B", ""}, {"%5D", ""}, {"[", ""}, {"]", ""}}), peer.substr(port));
}

// The inode of the descriptor's current socket; nullopt if there is none.
std::optional<ino_t> SocketOf(int fd) {
  struct stat info {};
  if (fstat(fd, &info) != 0 || !S_ISSOCK(info.st_mode)) return std::nullopt;
  return info.st_ino;
}

// Bytes that a connection sends besides requests: handshakes, settings, first headers.
constexpr int64_t kFreeBytes = 16 << 10;
// Bytes per second that it sends later: pings and window updates.
constexpr int64_t kFreeBytesPerSecond = 64;
// Fewer bytes than this do not count as held back.
constexpr int64_t kFewBytes = 64 << 10;

}  // namespace

std::optional<uint64_t> BytesReceived(int fd) {
  tcp_info info{};
  socklen_t size = sizeof(info);
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return std::nullopt;
  if (size < offsetof(tcp_info, tcpi_bytes_received) + sizeof(info.tcpi_bytes_received)) return std::nullopt;
  return info.tcpi_bytes_received;
}

std::string RequestBytes::NameOf(absl::string_view host, uint16_t port) { return absl::StrCat(host, ":", port); }

void RequestBytes::Open(const std::string& name) {
  MutexLock lock(mutex_);
  counted_[name] = 0;
}

void RequestBytes::Close(const std::string& name) {
  MutexLock lock(mutex_);
  counted_.erase(name);
}

void RequestBytes::Count(absl::string_view peer, size_t bytes) { Add(peer, bytes + bytes / kFrameShare + kCallBytes); }

void RequestBytes::CountAnswer(absl::string_view peer, size_t bytes) { Add(peer, bytes / kGrantShare); }

void RequestBytes::Add(absl::string_view peer, uint64_t bytes) {
  const std::string name = NameOfPeer(peer);
  MutexLock lock(mutex_);
  const auto counted = counted_.find(name);
  if (counted != counted_.end()) counted->second += bytes;
}

uint64_t RequestBytes::Take(const std::string& name) {
  MutexLock lock(mutex_);
  const auto counted = counted_.find(name);
  return counted == counted_.end() ? 0 : std::exchange(counted->second, 0);
}

OpenConnections::~OpenConnections() {
  for (const auto& [fd, connection] : connections_) {
    if (requests_ != nullptr) requests_->Close(connection.name);
  }
}

bool OpenConnections::HasRoom(const std::string& host, Time now) {
  if (Fits(host)) return true;
  if (now < next_sweep_) return false;
  next_sweep_ = now + kSweepPause;
  Sweep();
  if (Fits(host)) return true;
  ShutDownLifeless(now);
  return false;
}

void OpenConnections::Add(int fd, const std::string& host, const std::string& name, Time now) {
  Forget(fd);  // the descriptor was reused, so its former connection was closed
  connections_[fd] = {.socket = SocketOf(fd).value_or(0),
                      .host = host,
                      .name = name,
                      .since = now,
                      .unfinished = -kFreeBytes,
                      .finished = now};
  ++by_host_[host];
  if (requests_ != nullptr) requests_->Open(name);
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
  if (requests_ != nullptr) requests_->Close(known->second.name);
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
    if (IsLifeless(fd, age)) ShutDown(fd, connection);
  }
}

void OpenConnections::ShutDown(int fd, const Connection& connection) {
  // Uses a copy of the descriptor, because the owner may close its own in the meantime.
  const Descriptor own(fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (own.valid() && SocketOf(own.get()) == connection.socket) shutdown(own.get(), SHUT_RDWR);
}

uint64_t OpenConnections::CountUnfinished(Time now) {
  int64_t sum = 0;
  for (auto& [fd, connection] : connections_) {
    const std::optional<uint64_t> received = BytesReceived(fd);
    if (!received.has_value() || SocketOf(fd) != connection.socket) {
      connection.unfinished = 0;
      continue;
    }
    const auto free = kFreeBytesPerSecond * kUnfinishedPause.count() / 1000;
    const auto whole = static_cast<int64_t>(requests_->Take(connection.name));
    const auto more = static_cast<int64_t>(*received - connection.received);
    connection.received = *received;
    connection.unfinished = std::max(connection.unfinished + more - whole - free, -kFreeBytes);
    if (connection.unfinished <= kFewBytes) connection.finished = now;
    sum += std::max<int64_t>(connection.unfinished, 0);
  }
  return static_cast<uint64_t>(sum);
}

void OpenConnections::EndUnfinished(Time now) {
  if (requests_ == nullptr || now < next_unfinished_) return;
  next_unfinished_ = now + kUnfinishedPause;
  uint64_t sum = CountUnfinished(now);
  std::vector<std::pair<int, Connection*>> holders;
  for (auto& [fd, connection] : connections_) {
    if (connection.unfinished > kFewBytes) holders.emplace_back(fd, &connection);
  }
  std::sort(holders.begin(), holders.end(),
            [](const auto& a, const auto& b) { return a.second->finished < b.second->finished; });
  for (const auto& [fd, connection] : holders) {
    const auto bytes = static_cast<uint64_t>(connection->unfinished);
    if (bytes <= unfinished_.connection_bytes && sum <= unfinished_.bytes) continue;
    ShutDown(fd, *connection);
    sum -= bytes;
    connection->unfinished = 0;
  }
}

}  // namespace lean::rpc
