#include "common/rpc/connections/receive_budget.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/rpc/connections/open_connections.h"

namespace lean::rpc {
namespace {

constexpr std::chrono::milliseconds kLookEvery{100};
constexpr std::chrono::seconds kReportEvery{60};
constexpr char kDescriptors[] = "/proc/self/fd";

// The kernel's number of a socket, which is unique until the machine restarts. nullopt: not a socket.
std::optional<uint64_t> SocketCookie(int fd) {
  uint64_t cookie = 0;
  socklen_t size = sizeof(cookie);
  if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size) != 0) return std::nullopt;
  return cookie;
}

// HOST:PORT of the other end; empty if there is none.
std::string OtherEnd(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return "";
  char host[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET) {
    const auto& ip4 = reinterpret_cast<const sockaddr_in&>(address);
    inet_ntop(AF_INET, &ip4.sin_addr, host, sizeof(host));
    return absl::StrCat(host, ":", ntohs(ip4.sin_port));
  }
  if (address.ss_family != AF_INET6) return "";
  const auto& ip6 = reinterpret_cast<const sockaddr_in6&>(address);
  inet_ntop(AF_INET6, &ip6.sin6_addr, host, sizeof(host));
  return absl::StrCat("[", host, "]:", ntohs(ip6.sin6_port));
}

}  // namespace

double ReceiveAccounts::Used(const Account& account, Time now) const {
  const double seconds = std::chrono::duration<double>(now - account.charged_at).count();
  return std::max(0.0, account.used_bytes - seconds * static_cast<double>(limits_.bytes_per_second));
}

bool ReceiveAccounts::Charge(const std::string& address, uint64_t bytes, Time now) {
  Account& account = used_.try_emplace(address, Account{0, now}).first->second;
  const double burst = static_cast<double>(limits_.burst_bytes);
  account = {std::min(Used(account, now) + static_cast<double>(bytes), burst * (1 + kMaxDebt)), now};
  return account.used_bytes <= burst;
}

void ReceiveAccounts::ForgetSettled(Time now) {
  std::erase_if(used_, [&](const auto& entry) { return Used(entry.second, now) <= 0; });
}

ReceiveBudget::ReceiveBudget(const ReceiveLimits& limits, std::shared_ptr<spdlog::logger> logger)
    : logger_(std::move(logger)), accounts_(limits), thread_([this](const std::stop_token& stop) { Run(stop); }) {}

void ReceiveBudget::Run(const std::stop_token& stop) {
  while (clock_.WaitUntil(clock_.Steady() + kLookEvery, stop)) LookAtAll();
}

void ReceiveBudget::LookAtAll() {
  seen_.clear();
  std::error_code error;
  // Uses the number of a descriptor and never copies it, because closing a copy of a database file would release its
  // locks. A client may hold thousands of locks of keys, so each descriptor costs at most one system call.
  for (std::filesystem::directory_iterator entry(kDescriptors, error), end; !error && entry != end;
       entry.increment(error)) {
    int fd = -1;
    if (absl::SimpleAtoi(entry->path().filename().native(), &fd)) LookAt(fd);
  }
  std::erase_if(received_, [this](const auto& connection) { return !seen_.contains(connection.first); });
  accounts_.ForgetSettled(clock_.Steady());
}

void ReceiveBudget::LookAt(int fd) {
  const std::optional<uint64_t> cookie = SocketCookie(fd);
  if (!cookie.has_value()) return;
  const std::optional<uint64_t> received = BytesReceived(fd);
  if (!received.has_value()) return;
  const std::string address = OtherEnd(fd);
  if (address.empty()) return;
  seen_.insert(*cookie);
  const uint64_t before = std::exchange(received_[*cookie], *received);
  const uint64_t since = *received - std::min(before, *received);
  if (since == 0 || accounts_.Charge(address, since, clock_.Steady())) return;
  Report(address);  // first, so that whoever sees the end finds its reason in the log
  shutdown(fd, SHUT_RDWR);
}

void ReceiveBudget::Report(const std::string& address) {
  ++closed_;
  const auto now = clock_.Steady();
  if (now < next_report_) return;
  logger_->warn("connections closed count={} last={} reason=\"the other end sent more than it may\"", closed_, address);
  closed_ = 0;
  next_report_ = now + kReportEvery;
}

}  // namespace lean::rpc
