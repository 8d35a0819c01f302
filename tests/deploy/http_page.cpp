// Prints docs/reference/http.md from the routes and topics of beacon/http.

#include <iostream>

#include "absl/strings/string_view.h"
#include "beacon/http/event_feed.h"
#include "beacon/http/routes.h"

namespace {

constexpr char kIntroduction[] =
    R"(<!-- Generated from beacon/http/route_table.cpp and event_feed.cpp. CONTRIBUTING.md has the command. -->

# HTTP reference

All routes of a beacon's HTTP server, and all topics of its events. [HTTP for lean tools](../http.md) has the address, errors and limits.

- `{id}` is a root (`0x` and 64 hex digits, on any branch), a slot (of the head's chain), or `head`, `justified`, `finalized`, `genesis`.
- Answers in JSON are compact, as shown, with their fields in this order. Roots are `0x` and 64 hex digits, and `…` stands for the rest of a text.
- Methods are GET and HEAD.

)";

void PrintForm(absl::string_view form) {
  if (!form.empty()) std::cout << "\n```json\n" << form << "\n```\n";
}

void PrintRoutes() {
  std::cout << "## Routes\n\n| path | answer | content |\n|---|---|---|\n";
  for (const lean::beacon::HttpRoute& route : lean::beacon::HttpRoutes()) {
    std::cout << "| `" << route.path << "` | " << route.answers << " | " << route.summary << " |\n";
  }
  for (const lean::beacon::HttpRoute& route : lean::beacon::HttpRoutes()) {
    if (route.form.empty()) continue;
    std::cout << "\n### `" << route.path << "`\n\n" << route.summary << "\n";
    PrintForm(route.form);
  }
}

void PrintTopics() {
  std::cout << "\n## Events\n\n`/lean/v0/events?topics=head,block` streams the events of these topics.\n";
  for (const lean::beacon::HttpTopic& topic : lean::beacon::HttpTopics()) {
    std::cout << "\n### `" << topic.name << "`\n\n" << topic.summary << "\n";
    PrintForm(topic.form);
  }
}

}  // namespace

int main() {
  std::cout << kIntroduction;
  PrintRoutes();
  PrintTopics();
  return 0;
}
