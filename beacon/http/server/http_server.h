// An asynchronous HTTP/1.1 server for GET and HEAD, on Boost.Beast.
#ifndef LEAN_BEACON_HTTP_SERVER_HTTP_SERVER_H_
#define LEAN_BEACON_HTTP_SERVER_HTTP_SERVER_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "beacon/http/server/http_types.h"
#include "common/rpc/connections/address.h"
#include "common/rpc/tls_files.h"

namespace lean::beacon {

struct HttpLimits {
  size_t connections = 256;
  size_t connections_of_host = 128;
  size_t streams = 64;          // of connections
  size_t streams_of_host = 16;  // of connections_of_host
  // Of bodies that are not read yet, bodies that several connections share once.
  size_t unread_bytes = size_t{256} << 20;
  std::chrono::milliseconds request_time{10'000};  // until a request is complete, from the end of the one before
  std::chrono::milliseconds write_pause{10'000};   // without any progress of a response
  std::chrono::milliseconds write_time{10'000};    // of a response, after which it gives way to new connections
  std::chrono::milliseconds stream_pause{60'000};  // without any progress of a stream
  std::chrono::milliseconds keep_alive{15'000};    // between comments on a stream without news
};

struct HttpServerOptions {
  rpc::Address address;                          // HOST:PORT; port 0: a free one
  std::shared_ptr<rpc::TlsFiles> tls = nullptr;  // a certificate and its key; null: no TLS
  HttpLimits limits = {};
};

// Since the start, but for what is open.
struct HttpCounts {
  size_t connections = 0;    // open
  size_t streams = 0;        // of them
  size_t unread_bodies = 0;  // that are not sent completely
  size_t unread_bytes = 0;   // of these
  uint64_t accepted = 0;
  uint64_t refused = 0;    // for lack of room
  uint64_t displaced = 0;  // closed to make room: they had not sent a request, or did not read the answer
  std::map<std::pair<std::string, unsigned>, uint64_t> answers;  // by route and status
};

// Serves from Start until Stop, behind a ConnectionGate. One thread, of low priority, does all input and output.
//
// A connection that has no complete request gives way to a new one when there is no room: the one that has had none for
// the longest time, of the host that needs the room. So clients that send slowly, however many, do not keep out others.
// Requests have at most 8 KiB and no body. Thread-safe, except for Stop.
class HttpServer {
 public:
  // Errors name the address or the file.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(const HttpServerOptions& options, HttpHandler handler);

  // Like Stop().
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Closes all connections and joins the threads. Replies that come later are ignored. May be called again.
  void Stop();

  // The address on which it listens, with the port that the system chose.
  const rpc::Address& address() const { return address_; }
  HttpCounts counts() const;

 private:
  class Core;  // keeps Boost out of this header

  HttpServer(rpc::Address address, std::shared_ptr<Core> core);

  const rpc::Address address_;
  const std::shared_ptr<Core> core_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_HTTP_SERVER_HTTP_SERVER_H_
