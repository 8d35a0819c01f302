#include "beacon/http/server/connection_book.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/clock/clock.h"

namespace lean::beacon {
namespace {

size_t CountOf(const absl::flat_hash_map<std::string, size_t>& by_host, const std::string& host) {
  const auto found = by_host.find(host);
  return found == by_host.end() ? 0 : found->second;
}

void Decrement(absl::flat_hash_map<std::string, size_t>& by_host, const std::string& host) {
  const auto found = by_host.find(host);
  if (--found->second == 0) by_host.erase(found);
}

}  // namespace

HttpConnection::HttpConnection(std::string host, uint16_t port)
    : host_(std::move(host)), name_(absl::StrCat(host_, ":", port)), since_(RealClock().Steady()) {}

void HttpConnection::Enter(Stage stage) {
  stage_ = stage;
  since_ = RealClock().Steady();
}

bool ConnectionBook::MakeRoom(const std::string& host) {
  const bool host_is_full = CountOf(by_host_, host) >= limits_.connections_of_host;
  if (!host_is_full && connections_.size() < limits_.connections) return true;
  const auto heaviest = std::max_element(by_host_.begin(), by_host_.end(),
                                         [](const auto& a, const auto& b) { return a.second < b.second; });
  HttpConnectionPtr oldest = GivesWay(host_is_full ? &host : &heaviest->first);
  if (oldest == nullptr && !host_is_full) oldest = GivesWay(nullptr);
  if (oldest == nullptr) return false;
  Displace(oldest);
  return true;
}

void ConnectionBook::Add(const HttpConnectionPtr& connection) {
  connections_.insert(connection);
  ++by_host_[connection->host()];
  MutexLock lock(mutex_);
  ++counts_.accepted;
  counts_.connections = connections_.size();
}

void ConnectionBook::Remove(const HttpConnectionPtr& connection) {
  if (connections_.erase(connection) == 0) return;
  Decrement(by_host_, connection->host());
  MutexLock lock(mutex_);
  counts_.connections = connections_.size();
}

void ConnectionBook::CloseAll() {
  for (const HttpConnectionPtr& connection : std::vector(connections_.begin(), connections_.end())) connection->Close();
}

void ConnectionBook::HoldBody(const std::shared_ptr<const std::string>& body) {
  if (++bodies_[body.get()] == 1) unread_bytes_ += body->size();
  ShowUnread();
  while (unread_bytes_ > limits_.unread_bytes) {
    const HttpConnectionPtr oldest = Oldest(HttpConnection::Stage::kWriting, nullptr);
    if (oldest == nullptr) return;
    Displace(oldest);
  }
}

void ConnectionBook::ReleaseBody(const std::shared_ptr<const std::string>& body) {
  const auto held = bodies_.find(body.get());
  if (--held->second > 0) return;
  bodies_.erase(held);
  unread_bytes_ -= body->size();
  ShowUnread();
}

void ConnectionBook::ShowUnread() {
  MutexLock lock(mutex_);
  counts_.unread_bodies = bodies_.size();
  counts_.unread_bytes = unread_bytes_;
}

bool ConnectionBook::AdmitStream(const std::string& host) {
  if (streams_ >= limits_.streams || CountOf(streams_by_host_, host) >= limits_.streams_of_host) return false;
  ++streams_by_host_[host];
  ++streams_;
  MutexLock lock(mutex_);
  counts_.streams = streams_;
  return true;
}

void ConnectionBook::EndStream(const std::string& host) {
  Decrement(streams_by_host_, host);
  --streams_;
  MutexLock lock(mutex_);
  counts_.streams = streams_;
}

void ConnectionBook::CountAnswer(const std::string& route, unsigned status) {
  MutexLock lock(mutex_);
  ++counts_.answers[{route, status}];
}

void ConnectionBook::CountRefused() {
  MutexLock lock(mutex_);
  ++counts_.refused;
}

HttpCounts ConnectionBook::counts() const {
  MutexLock lock(mutex_);
  return counts_;
}

HttpConnectionPtr ConnectionBook::Oldest(HttpConnection::Stage stage, const std::string* host) const {
  HttpConnectionPtr oldest;
  for (const HttpConnectionPtr& connection : connections_) {
    if (connection->stage() != stage || (host != nullptr && connection->host() != *host)) continue;
    if (oldest == nullptr || connection->since() < oldest->since()) oldest = connection;
  }
  return oldest;
}

HttpConnectionPtr ConnectionBook::GivesWay(const std::string* host) const {
  if (HttpConnectionPtr reading = Oldest(HttpConnection::Stage::kReading, host)) return reading;
  HttpConnectionPtr writing = Oldest(HttpConnection::Stage::kWriting, host);
  const bool is_slow = writing != nullptr && RealClock().Steady() - writing->since() >= limits_.write_time;
  return is_slow ? writing : nullptr;
}

void ConnectionBook::Displace(const HttpConnectionPtr& connection) {
  connection->Close();
  MutexLock lock(mutex_);
  ++counts_.displaced;
}

}  // namespace lean::beacon
