// The open connections of an HTTP server: which of them give way to others, and what they have in hand.
#ifndef LEAN_BEACON_HTTP_SERVER_CONNECTION_BOOK_H_
#define LEAN_BEACON_HTTP_SERVER_CONNECTION_BOOK_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "beacon/http/server/http_server.h"
#include "common/clock/clock.h"
#include "common/concurrency/mutex.h"

namespace lean::beacon {

// Sockets wait in real time, so its times are of the real clock.
class HttpConnection {
 public:
  // kReading: it has no complete request, or was told its last answer.
  enum class Stage { kReading, kWorking, kWriting, kStreaming };

  // `host`: the client's address.
  HttpConnection(std::string host, uint16_t port);
  virtual ~HttpConnection() = default;
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  // Ends it at once, and removes it from its book. May be called again.
  virtual void Close() = 0;

  const std::string& host() const { return host_; }
  const std::string& name() const { return name_; }  // with the port
  Stage stage() const { return stage_; }
  SteadyTime since() const { return since_; }  // of the stage

 protected:
  void Enter(Stage stage);

 private:
  const std::string host_;
  const std::string name_;
  Stage stage_ = Stage::kReading;
  SteadyTime since_;
};
using HttpConnectionPtr = std::shared_ptr<HttpConnection>;

// Used by one thread, except for counts().
class ConnectionBook {
 public:
  explicit ConnectionBook(const HttpLimits& limits) : limits_(limits) {}

  // Whether there is room for one more connection of this host, after another was closed if need be.
  bool MakeRoom(const std::string& host);
  void Add(const HttpConnectionPtr& connection);
  void Remove(const HttpConnectionPtr& connection);
  void CloseAll();

  // A body that a connection is about to write. If too many bytes are unread then, closes connections that have been
  // writing for the longest time.
  void HoldBody(const std::shared_ptr<const std::string>& body);
  void ReleaseBody(const std::shared_ptr<const std::string>& body);

  // Whether the host may have one more stream, which it then has until EndStream.
  bool AdmitStream(const std::string& host);
  void EndStream(const std::string& host);

  void CountAnswer(const std::string& route, unsigned status);
  void CountRefused();
  // Thread-safe.
  HttpCounts counts() const;

 private:
  using ByHost = absl::flat_hash_map<std::string, size_t>;  // none is 0

  // The one that has been in a stage for the longest time, of `host` if that is not null; null: there is none.
  HttpConnectionPtr Oldest(HttpConnection::Stage stage, const std::string* host) const;
  // The one that gives way to a new connection: one without a complete request, otherwise one whose answer is read
  // slowly. null: there is none.
  HttpConnectionPtr GivesWay(const std::string* host) const;
  void Displace(const HttpConnectionPtr& connection);

  void ShowUnread();  // in the counts

  const HttpLimits limits_;
  absl::flat_hash_set<HttpConnectionPtr> connections_;
  ByHost by_host_;
  ByHost streams_by_host_;
  size_t streams_ = 0;
  absl::flat_hash_map<const std::string*, size_t> bodies_;  // how many connections write each
  size_t unread_bytes_ = 0;                                 // of these bodies

  mutable Mutex mutex_;
  HttpCounts counts_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_HTTP_SERVER_CONNECTION_BOOK_H_
