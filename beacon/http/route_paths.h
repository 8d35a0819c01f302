// The paths of the HTTP server's routes, for the table of metrics. The routes themselves: routes.h.
#ifndef LEAN_BEACON_HTTP_ROUTE_PATHS_H_
#define LEAN_BEACON_HTTP_ROUTE_PATHS_H_

#include <string>
#include <vector>

namespace lean::beacon {

// In the order of HttpRoutes, and "none" for requests that fit no route.
inline std::vector<std::string> HttpRoutePaths() {
  return {"/lean/v0/health",
          "/v0/health",
          "/lean/v0/states/finalized",
          "/lean/v0/blocks/finalized",
          "/lean/v0/checkpoints/justified",
          "/lean/v0/checkpoints/finalized",
          "/lean/v0/fork_choice",
          "/lean/v0/fork_choice/votes",
          "/lean/v0/fork_choice/ui",
          "/lean/v0/participation",
          "/lean/v0/head",
          "/lean/v0/blocks/{id}",
          "/lean/v0/blocks/{id}/header",
          "/lean/v0/headers/{id}",
          "/lean/v0/states/{id}",
          "/lean/v0/events",
          "/lean/v0/genesis",
          "/lean/v0/config/spec",
          "/lean/v0/node/identity",
          "/lean/v0/node/syncing",
          "/lean/v0/node/peers",
          "/lean/v0/node/peer_count",
          "/",
          "/page/{id}",
          "none"};
}

}  // namespace lean::beacon

#endif  // LEAN_BEACON_HTTP_ROUTE_PATHS_H_
