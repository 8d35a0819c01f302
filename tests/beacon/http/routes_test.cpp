// The table of routes is the one in docs/http.md.
#include "beacon/http/routes.h"

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "beacon/http/event_feed.h"
#include "beacon/http/route_paths.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace lean::beacon {
namespace {

std::string ReadPage() {
  const std::ifstream file(LEAN_SOURCE_DIR "/docs/http.md");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// The rows of the table that follows a line.
std::vector<std::string> RowsAfter(const std::string& line) {
  std::vector<std::string> rows;
  const std::string page = ReadPage();
  for (const absl::string_view row : absl::StrSplit(absl::string_view(page).substr(page.find(line)), '\n')) {
    if (absl::StartsWith(row, "## ") && !rows.empty()) break;
    if (absl::StartsWith(row, "| `")) rows.emplace_back(row);
    if (row.empty() && !rows.empty()) break;
  }
  return rows;
}

TEST(RoutesTest, AreThoseOfThePage) {
  std::vector<std::string> rows;
  for (const HttpRoute& route : HttpRoutes()) {
    rows.push_back(absl::StrCat("| `", route.path, "` | ", route.answers, " | ", route.summary, " |"));
  }
  EXPECT_EQ(RowsAfter("\n## Routes\n"), rows);
}

TEST(RoutesTest, AreThoseOfTheMetrics) {
  std::vector<std::string> paths;
  for (const HttpRoute& route : HttpRoutes()) paths.emplace_back(route.path);
  paths.emplace_back("none");
  EXPECT_EQ(HttpRoutePaths(), paths);
}

TEST(RoutesTest, TopicsAreThoseOfThePage) {
  const std::vector<std::string> rows = RowsAfter("\n## Events\n");
  for (size_t kind = 0; kind < kEventKinds; ++kind) {
    const std::string topic = absl::StrCat("`", TopicOf(static_cast<EventKind>(kind)), "`");
    EXPECT_THAT(rows, testing::Contains(testing::HasSubstr(topic))) << topic;
  }
}

}  // namespace
}  // namespace lean::beacon
