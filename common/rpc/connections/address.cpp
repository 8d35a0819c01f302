#include "common/rpc/connections/address.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/bytes/decimal.h"
#include "common/process/descriptors.h"

namespace lean::rpc {
namespace {

constexpr size_t kMaxHostBytes = 253;  // of a DNS name
constexpr absl::string_view kUnixPrefix = "unix:";
constexpr size_t kMaxUnixPathBytes = sizeof(sockaddr_un::sun_path) - 1;

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

absl::StatusOr<Address> ParseUnixPath(absl::string_view path) {
  if (!absl::StartsWith(path, "/") || path.size() > kMaxUnixPathBytes || absl::StrContains(path, '\0')) {
    return absl::InvalidArgumentError(absl::StrCat("bad address \"", kUnixPrefix, path.substr(0, kMaxHostBytes),
                                                   "\": expected an absolute path of at most ", kMaxUnixPathBytes,
                                                   " bytes after ", kUnixPrefix));
  }
  return Address{"", 0, std::string(path)};
}

// Whether a server answers on the socket at `path`.
bool IsServed(const std::string& path) {
  const Descriptor fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return true;
  sockaddr_un peer{};
  peer.sun_family = AF_UNIX;
  path.copy(peer.sun_path, kMaxUnixPathBytes);
  return connect(fd.get(), reinterpret_cast<const sockaddr*>(&peer), sizeof(peer)) == 0 || errno != ECONNREFUSED;
}

}  // namespace

bool Address::IsLoopback() const { return IsUnix() || host == "localhost" || host == "::1" || IsLoopbackIpv4(host); }

std::string Address::ToString() const {
  if (IsUnix()) return absl::StrCat(kUnixPrefix, unix_path);
  return absl::StrContains(host, ':') ? absl::StrCat("[", host, "]:", port) : absl::StrCat(host, ":", port);
}

absl::StatusOr<Address> ParseAddress(absl::string_view text) {
  if (absl::StartsWith(text, kUnixPrefix)) return ParseUnixPath(text.substr(kUnixPrefix.size()));
  if (const size_t scheme = text.find("://"); scheme != absl::string_view::npos) {
    return BadAddress(text, absl::StrCat("this is a URL: leave out \"", text.substr(0, scheme).substr(0, kMaxHostBytes),
                                         "://\" and what follows the port"));
  }
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
  const std::optional<uint64_t> port = ParseDecimal(port_text);
  if (!port.has_value() || *port > 65535) return BadAddress(text, "the port is not a number from 0 to 65535");
  return Address{std::string(host), static_cast<uint16_t>(*port)};
}

absl::Status CheckUnixSocket(const Address& address) {
  const std::string name = address.ToString();
  const std::string folder = std::filesystem::path(address.unix_path).parent_path().string();
  struct stat info {};
  if (stat(folder.c_str(), &info) != 0) {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", name, ": ", folder, ": ", std::strerror(errno)));
  }
  if (!S_ISDIR(info.st_mode) || info.st_uid != geteuid() || (info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return absl::PermissionDeniedError(absl::StrCat("cannot listen on ", name, ": ", folder,
                                                    " must be a folder of this user that others cannot enter (chmod "
                                                    "700)"));
  }
  if (lstat(address.unix_path.c_str(), &info) != 0) return absl::OkStatus();
  if (!S_ISSOCK(info.st_mode)) {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", name, ": something else than a socket is there"));
  }
  if (IsServed(address.unix_path)) {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", name, ": another process serves it"));
  }
  return absl::OkStatus();
}

absl::Status CannotListen(const Address& address, int error) {
  absl::string_view advice = "";
  if (error == EADDRINUSE) advice = " (another process has this port; choose another)";
  if (error == EADDRNOTAVAIL) advice = " (no address of this machine; 0.0.0.0 or [::] are all that it has)";
  if (error == EACCES) advice = " (a port below 1024 takes a privilege; choose a higher one)";
  return absl::UnavailableError(
      absl::StrCat("cannot listen on ", address.ToString(), ": ", std::strerror(error), advice));
}

}  // namespace lean::rpc
