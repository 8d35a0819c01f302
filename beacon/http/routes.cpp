#include "beacon/http/routes.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "beacon/http/json.h"

namespace lean::beacon {
namespace {

constexpr absl::string_view kId = "{id}";
constexpr unsigned kBadRequest = 400;
constexpr unsigned kNotFound = 404;
constexpr unsigned kInternal = 500;
constexpr unsigned kUnavailable = 503;

// nullopt: a percent sign that two hex digits do not follow.
std::optional<std::string> PercentDecoded(absl::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    int byte = 0;
    if (i + 2 >= text.size() || !absl::ascii_isxdigit(text[i + 1]) || !absl::ascii_isxdigit(text[i + 2]) ||
        !absl::SimpleHexAtoi(text.substr(i + 1, 2), &byte)) {
      return std::nullopt;
    }
    decoded += static_cast<char>(byte);
    i += 2;
  }
  return decoded;
}

// The path and the query of a target. nullopt: it is malformed.
struct Target {
  std::string path;
  std::map<std::string, std::string> query;
};
std::optional<Target> ParseTarget(absl::string_view text) {
  // A client of a proxy sends the whole URL.
  if (absl::ConsumePrefix(&text, "http://") || absl::ConsumePrefix(&text, "https://")) {
    text.remove_prefix(std::min(text.find('/'), text.size()));
  }
  if (text.empty() || text.front() != '/') return std::nullopt;
  const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(text, absl::MaxSplits('?', 1));
  std::optional<std::string> path = PercentDecoded(parts.first);
  if (!path.has_value()) return std::nullopt;
  Target target{.path = *std::move(path), .query = {}};
  for (const absl::string_view part : absl::StrSplit(parts.second, '&', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> field = absl::StrSplit(part, absl::MaxSplits('=', 1));
    std::optional<std::string> name = PercentDecoded(field.first);
    std::optional<std::string> value = PercentDecoded(field.second);
    if (!name.has_value() || !value.has_value()) return std::nullopt;
    target.query.emplace(*std::move(name), *std::move(value));
  }
  return target;
}

// What stands in the path for {id}, or an empty text if the route has no {id}. nullopt: the path is another one.
std::optional<std::string> Fits(absl::string_view pattern, absl::string_view path) {
  const std::vector<absl::string_view> wanted = absl::StrSplit(pattern, '/');
  const std::vector<absl::string_view> given = absl::StrSplit(path, '/');
  if (wanted.size() != given.size()) return std::nullopt;
  std::string id;
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] == kId && !given[i].empty()) {
      id = std::string(given[i]);
    } else if (wanted[i] != given[i]) {
      return std::nullopt;
    }
  }
  return id;
}

unsigned StatusFor(const absl::Status& error) {
  switch (error.code()) {
    case absl::StatusCode::kInvalidArgument:
      return kBadRequest;
    case absl::StatusCode::kNotFound:
      return kNotFound;
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kUnavailable:
      return kUnavailable;
    default:
      return kInternal;
  }
}

}  // namespace

HttpResponse HttpError(unsigned status, absl::string_view message) {
  return {.status = status,
          .content_type = "application/json",
          .route = "none",
          .body = std::make_shared<const std::string>(Compact({{"error", std::string(message)}})),
          .stream = nullptr};
}

HttpResponse AnswerHttp(const RouteSources& sources, const HttpRequest& request) {
  const std::optional<Target> target = ParseTarget(request.target);
  if (!target.has_value()) return HttpError(kBadRequest, "the target of the request is malformed");
  for (const HttpRoute& route : HttpRoutes()) {
    std::optional<std::string> id = Fits(route.path, target->path);
    if (!id.has_value()) continue;
    absl::StatusOr<HttpResponse> answer =
        route.handler(sources, {.id = *std::move(id), .query = target->query, .last_event_id = request.last_event_id});
    HttpResponse response =
        answer.ok() ? *std::move(answer) : HttpError(StatusFor(answer.status()), answer.status().message());
    response.route = std::string(route.path);
    return response;
  }
  return HttpError(kNotFound, "no such path; docs/reference/http.md lists all");
}

}  // namespace lean::beacon
