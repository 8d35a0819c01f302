#include "tests/simulation/record/node_recorder.h"

#include <array>
#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "beacon/http/json.h"
#include "beacon/http/routes.h"

namespace lean::simulation {
namespace {

constexpr absl::string_view kApi = "/lean/v0";
// What the page loads when it is opened (beacon/http/page/page.js).
constexpr std::array kLoaded = {"/config/spec",       "/genesis",       "/node/identity", "/fork_choice",
                                "/fork_choice/votes", "/participation", "/node/syncing",  "/node/peers"};
constexpr size_t kRootText = 66;  // "0x" and 64 digits

std::string Quoted(const std::string& text) { return beacon::Compact(beacon::Json(text)); }

}  // namespace

NodeRecorder::NodeRecorder(std::function<int64_t()> now, const std::string& path, const std::string& scenario)
    : now_(std::move(now)), file_(path, std::ios::trunc) {
  WriteLine("run", Quoted(scenario));
}

void NodeRecorder::WriteLine(absl::string_view name, const std::string& json) {
  file_ << absl::StrCat("{\"at\":", now_(), ",\"", name, "\":", json, "}\n");
}

beacon::EventHistory& NodeRecorder::NewHistory() {
  history_.emplace(++starts_);
  return *history_;
}

void NodeRecorder::Began(beacon::ServedChain chain) {
  served_.emplace(std::move(chain));
  feed_.emplace(*history_, beacon::EventKinds().set(), std::nullopt);
  Save();
}

void NodeRecorder::Ended() {
  if (!served_.has_value()) return;
  Write();
  served_.reset();
  feed_.reset();
  WriteLine("down", "true");
}

bool NodeRecorder::Finish(const std::string& violation) {
  Write();
  feed_.reset();
  served_.reset();
  if (!violation.empty()) WriteLine("violation", Quoted(violation));
  file_.close();
  return file_.good();
}

std::string NodeRecorder::Answer(const std::string& path) const {
  beacon::HttpRequest request;
  request.target = absl::StrCat(kApi, path);
  const beacon::HttpResponse response = beacon::AnswerHttp({served_->chain, served_->queries}, request);
  return response.body == nullptr ? "" : *response.body;
}

void NodeRecorder::Write() {
  if (!served_.has_value()) return;
  for (std::string text = feed_->Next(); !text.empty(); text = feed_->Next()) {
    WriteHeaders(text, "event: block\ndata: ");
    WriteLine("events", Quoted(text));
  }
}

void NodeRecorder::Save() {
  if (!served_.has_value()) return;
  Write();
  beacon::Json answers;
  for (const char* path : kLoaded) answers[path] = Answer(path);
  WriteHeaders(answers["/fork_choice"].get_ref<const std::string&>(), "\"root\":");
  WriteLine("answers", beacon::Compact(answers));
}

void NodeRecorder::WriteHeaders(absl::string_view text, absl::string_view field) {
  for (size_t at = text.find(field); at != absl::string_view::npos; at = text.find(field, at + 1)) {
    const std::string root(text.substr(text.find("\"0x", at) + 1, kRootText));
    if (!headers_.insert(root).second) continue;
    const std::string path = absl::StrCat("/blocks/", root, "/header");
    WriteLine("header", absl::StrCat("{", Quoted(path), ":", Quoted(Answer(path)), "}"));
  }
}

}  // namespace lean::simulation
