#include "common/rpc/security_watch.h"

#include <utility>

#include "common/certificates/certificate.h"
#include "common/rpc/server/server.h"

namespace lean::rpc {

SecurityWatch::SecurityWatch(Clock& clock, std::shared_ptr<spdlog::logger> log)
    : clock_(clock), log_(std::move(log)), thread_([this](std::stop_token stop) { Run(std::move(stop)); }) {}

void SecurityWatch::Add(std::shared_ptr<TlsFiles> files) {
  if (files == nullptr) return;
  std::string name = files->name();
  AddWatched({.files = std::move(files), .name = std::move(name), .address = ""});
}

void SecurityWatch::Add(const Server& server) {
  Add(server.tls_files());
  if (server.open()) AddWatched({.files = nullptr, .name = server.name(), .address = server.address().ToString()});
}

std::vector<SecurityWatch::Certificate> SecurityWatch::certificates() const {
  std::vector<Certificate> certificates;
  MutexLock lock(mutex_);
  for (const Watched& watched : watched_) {
    if (watched.files != nullptr) certificates.push_back({watched.name, watched.files->Get()->end});
  }
  return certificates;
}

void SecurityWatch::AddWatched(Watched watched) {
  MutexLock lock(mutex_);
  LookAt(watched_.emplace_back(std::move(watched)));
}

void SecurityWatch::Run(std::stop_token stop) {
  while (clock_.WaitUntil(clock_.Steady() + kPeriod, stop)) Look();
}

void SecurityWatch::Look() {
  MutexLock lock(mutex_);
  for (Watched& watched : watched_) LookAt(watched);
}

void SecurityWatch::LookAt(Watched& watched) {
  const SteadyTime now = clock_.Steady();
  const bool again = !watched.logged.has_value() || now - *watched.logged >= kRepeat;
  if (watched.files == nullptr) {
    if (!again) return;
    watched.logged = now;
    log_->warn(
        "rpc_open name={} address={} message=\"everybody who reaches this address is served (--insecure-rpc); require "
        "certificates: --tls-dir\"",
        watched.name, watched.address);
    return;
  }
  const std::shared_ptr<const TlsFiles::Content> content = watched.files->Get();
  const absl::Duration left = content->end - absl::FromUnixMillis(clock_.WallMs());
  if (left > kSoon) {
    watched.logged.reset();
    return;
  }
  const bool ended = left <= absl::ZeroDuration();
  if (!again && ended == watched.ended) return;
  watched.logged = now;
  watched.ended = ended;
  if (ended) {
    log_->error(
        "certificate_ended tls={} file={} ended={} message=\"connections are refused: replace it, which needs no "
        "restart (lean-beacon certs renew)\"",
        watched.name, content->ends_first, DayOf(content->end));
  } else {
    log_->warn(
        "certificate_ends_soon tls={} file={} ends={} days_left={} message=\"replace it, which needs no restart "
        "(lean-beacon certs renew)\"",
        watched.name, content->ends_first, DayOf(content->end), absl::ToInt64Hours(left) / 24);
  }
}

}  // namespace lean::rpc
