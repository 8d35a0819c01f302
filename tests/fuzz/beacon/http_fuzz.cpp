// Requests of anybody to the HTTP routes: each has an answer with a known status, an error is JSON, JSON is valid, and
// no header of an answer contains a control character.
#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "beacon/http/routes.h"
#include "nlohmann/json.hpp"
#include "tests/fuzz/beacon/fuzzed_beacon.h"
#include "tests/fuzz/fuzzing.h"

namespace lean::fuzz {
namespace {

using beacon::HttpResponse;

// One for all inputs: routes only read.
class Server {
 public:
  Server() : queries_(beacon_.served()) {
    for (uint64_t slot = 1; slot <= 6; ++slot) {
      if (const beacon::SignedBlockPtr block = beacon_.Build(slot)) {
        beacon_.chain().SubmitBlock(block, beacon::Origin::Local(), [](const beacon::SubmitOutcome&) {});
      }
      while (beacon_.chain().Step()) {
      }
      beacon_.Advance(std::chrono::milliseconds(FuzzedBeacon::kSlotMs));
    }
  }

  HttpResponse Answer(const beacon::HttpRequest& request) const {
    return beacon::AnswerHttp({.chain = beacon_.served(), .queries = queries_}, request);
  }

 private:
  FuzzedBeacon beacon_;
  const beacon::BeaconQueries queries_;
};

bool IsPlain(const std::string& header) {
  return std::none_of(header.begin(), header.end(), [](char c) { return absl::ascii_iscntrl(c); });
}

void Check(absl::string_view bytes) {
  static const Server* const server = new Server();
  Input input(BytesOfText(bytes));
  const std::string last_event_id(input.Chance(4) ? input.Text() : "");
  std::string target;
  // Mostly a route, with bytes in the place of its parameters.
  if (input.Chance(4)) {
    target = std::string(input.Rest());
  } else {
    const auto routes = beacon::HttpRoutes();
    target = std::string(routes[input.Below(routes.size())].path);
    const std::string part(input.Text());
    if (const size_t id = target.find("{id}"); id != std::string::npos) target.replace(id, 4, part);
    target += std::string(input.Rest());
  }
  const HttpResponse response = server->Answer(
      {.target = target, .last_event_id = last_event_id, .host = "192.0.2.1", .connection = "192.0.2.1:1"});
  constexpr unsigned kStatuses[] = {200, 400, 404, 503};
  Require(std::find(std::begin(kStatuses), std::end(kStatuses), response.status) != std::end(kStatuses));
  Require((response.body != nullptr) != (response.stream != nullptr));
  Require(IsPlain(response.content_type) && IsPlain(response.content_policy) && IsPlain(response.route));
  Require(response.status == 200 || response.content_type == "application/json");
  if (absl::StartsWith(response.content_type, "application/json")) {
    const nlohmann::json json = nlohmann::json::parse(*response.body, nullptr, /*allow_exceptions=*/false);
    Require(!json.is_discarded() && (response.status == 200 || json.contains("error")));
  }
  if (response.stream != nullptr) {
    for (int i = 0; i < 3; ++i) response.stream->Next();
  }
}

}  // namespace
}  // namespace lean::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  lean::fuzz::Check(lean::fuzz::TextOf(data, size));
  return 0;
}
