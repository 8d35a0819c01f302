#include "common/config/json_document.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"

namespace lean {
namespace {

using nlohmann::json;

// Checks the document while it is parsed, because the library silently keeps the last of two fields with the same name.
class Watcher {
 public:
  explicit Watcher(size_t max_depth) : max_depth_(max_depth) {}

  // Returns false to make the library drop the value.
  bool operator()(json::parse_event_t event, const json& value) {
    switch (event) {
      case json::parse_event_t::object_start:
      case json::parse_event_t::array_start:
        BeginValue();
        if (levels_.size() == max_depth_) Fail("nested too deeply");
        levels_.push_back(Level{event == json::parse_event_t::array_start, 0, "", {}});
        break;
      case json::parse_event_t::object_end:
      case json::parse_event_t::array_end:
        levels_.pop_back();
        break;
      case json::parse_event_t::key: {
        Level& level = levels_.back();
        level.key = value.get_ref<const std::string&>();
        if (error_.ok() && !level.keys.insert(level.key).second) Fail("appears twice");
        break;
      }
      case json::parse_event_t::value:
        BeginValue();
        break;
    }
    return error_.ok();
  }

  const absl::Status& error() const { return error_; }

 private:
  struct Level {
    bool is_array = false;
    size_t count = 0;  // of the values of an array so far
    std::string key;   // of an object's current field
    absl::flat_hash_set<std::string> keys;
  };

  void BeginValue() {
    if (!levels_.empty() && levels_.back().is_array) ++levels_.back().count;
  }

  void Fail(absl::string_view what) {
    if (!error_.ok()) return;
    std::string path;
    for (const Level& level : levels_) {
      if (level.is_array) {
        absl::StrAppend(&path, "[", level.count - 1, "]");
      } else {
        absl::StrAppend(&path, path.empty() ? "" : ".", absl::CHexEscape(level.key));
      }
    }
    error_ = absl::InvalidArgumentError(absl::StrCat(path, ": ", what));
  }

  const size_t max_depth_;
  std::vector<Level> levels_;
  absl::Status error_;
};

// Shortens "[json.exception.parse_error.101] parse error at line 1, column 5: ..": removes the name of the exception,
// and the rest, which quotes the document. The document may be a secret that the user passed by mistake.
absl::string_view PlaceIn(absl::string_view what) {
  const size_t begin = what.find("] ");
  if (begin == absl::string_view::npos) return "it cannot be parsed";
  what.remove_prefix(begin + 2);
  return what.substr(0, what.find(':'));
}

}  // namespace

absl::StatusOr<json> ParseJson(absl::string_view text, size_t max_depth) {
  Watcher watcher(max_depth);
  try {
    json document =
        json::parse(text.begin(), text.end(),
                    [&watcher](int, json::parse_event_t event, const json& value) { return watcher(event, value); });
    RETURN_IF_ERROR(watcher.error());
    return document;
  } catch (const json::exception& error) {
    return absl::InvalidArgumentError(absl::StrCat("no JSON: ", PlaceIn(error.what())));
  }
}

}  // namespace lean
