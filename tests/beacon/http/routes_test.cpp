// The paths in the table of metrics are those of the routes.
#include "beacon/http/routes.h"

#include <string>
#include <vector>

#include "beacon/http/route_paths.h"
#include "gtest/gtest.h"

namespace lean::beacon {
namespace {

TEST(RoutesTest, AreThoseOfTheMetrics) {
  std::vector<std::string> paths;
  for (const HttpRoute& route : HttpRoutes()) paths.emplace_back(route.path);
  paths.emplace_back("none");
  EXPECT_EQ(HttpRoutePaths(), paths);
}

}  // namespace
}  // namespace lean::beacon
