#include "common/rpc/request_bytes.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace lean::rpc {
namespace {

// A frame of 16 KiB has a head of 9 bytes, a record of TLS 29 bytes more than its content. A call has some 100 bytes of
// headers, each in a record of its own.
constexpr size_t kFrameShare = 256;
constexpr size_t kCallBytes = 256;
// Of an answer: 84 bytes in two records of TLS for each 32 KiB that were read.
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

}  // namespace

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

}  // namespace lean::rpc
