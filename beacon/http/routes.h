// The routes of the HTTP server: one table, from which requests are answered and docs/reference/http.md is written.
#ifndef LEAN_BEACON_HTTP_ROUTES_H_
#define LEAN_BEACON_HTTP_ROUTES_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "beacon/http/server/http_types.h"
#include "beacon/rpc/beacon_queries.h"
#include "beacon/rpc/served_chain.h"

namespace lean::beacon {

// A request, taken apart.
struct RouteCall {
  std::string id;                            // the part of the path in the place of {id}; empty: the route has none
  std::map<std::string, std::string> query;  // of a name that occurs twice the first
  std::string last_event_id;
};

// What the routes read. Outlives the server.
struct RouteSources {
  const ServedChain& chain;
  const BeaconQueries& queries;
};

// Errors: InvalidArgument is answered with 400, NotFound with 404, ResourceExhausted and Unavailable with 503.
using RouteHandler = absl::StatusOr<HttpResponse> (*)(const RouteSources& sources, const RouteCall& call);

struct HttpRoute {
  absl::string_view path;     // "{id}" stands for one part
  absl::string_view answers;  // the type of content
  absl::string_view summary;  // for docs/reference/http.md
  RouteHandler handler;
  absl::string_view form = {};  // an answer in JSON, for docs/reference/http.md
};

// A request is answered by the first route that fits.
absl::Span<const HttpRoute> HttpRoutes();

// Answers a request; may read from a disk. Thread-safe.
HttpResponse AnswerHttp(const RouteSources& sources, const HttpRequest& request);

// {"error": message}
HttpResponse HttpError(unsigned status, absl::string_view message);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_HTTP_ROUTES_H_
