// What an HTTP server and its handlers exchange.
#ifndef LEAN_BEACON_HTTP_SERVER_HTTP_TYPES_H_
#define LEAN_BEACON_HTTP_SERVER_HTTP_TYPES_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace lean::beacon {

// A GET or HEAD request.
struct HttpRequest {
  std::string target;         // path and query, as sent
  std::string last_event_id;  // the header Last-Event-ID; empty: there was none
  std::string host;           // the client's address without its port
  std::string connection;     // with its port
};

// A body without an end. Used by one thread at a time.
class HttpStream {
 public:
  virtual ~HttpStream() = default;

  // The next bytes to send, a moderate number of them; empty: there are none now.
  virtual std::string Next() = 0;
  // Calls `wake` on any thread soon after there are more, until this object is destroyed. It does not block.
  virtual void Watch(std::function<void()> wake) = 0;
};

struct HttpResponse {
  unsigned status = 200;
  std::string content_type;
  std::string content_policy = {};          // the header Content-Security-Policy; empty: none
  std::string route;                        // which route has answered, for the counts
  std::shared_ptr<const std::string> body;  // not null, except with a stream
  std::unique_ptr<HttpStream> stream;       // in place of a body
};

// An error in JSON. `message` needs no escapes.
inline HttpResponse PlainHttpError(unsigned status, absl::string_view message) {
  return {.status = status,
          .content_type = "application/json",
          .route = "none",
          .body = std::make_shared<const std::string>(absl::StrCat("{\"error\":\"", message, "\"}")),
          .stream = nullptr};
}

// Called at most once, from any thread.
using HttpReply = std::function<void(HttpResponse)>;
// Called on the server's thread; must not block.
using HttpHandler = std::function<void(const HttpRequest&, HttpReply)>;

}  // namespace lean::beacon

#endif  // LEAN_BEACON_HTTP_SERVER_HTTP_TYPES_H_
