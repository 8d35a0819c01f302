#include "common/config/yaml.h"

#include <yaml-cpp/eventhandler.h>

#include <algorithm>
#include <exception>
#include <optional>
#include <sstream>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/bytes/decimal.h"
#include "common/log/log_text.h"
#include "common/process/whole_file.h"
#include "common/status/status_macros.h"

namespace lean {
namespace {

constexpr size_t kMaxShown = 64;  // bytes of a name or value in a message
constexpr size_t kMaxNamed = 5;   // fields in a warning

// Looks for a second document. YAML::LoadAll would not return from some texts: it does not step over a stray bracket or
// comma, and adds empty documents at that place until memory ends.
class DocumentWatch final : public YAML::EventHandler {
 public:
  // The begin of the content of another document than the first.
  const std::optional<YAML::Mark>& second() const { return second_; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1 && mark.pos == begin_.pos) throw YAML::ParserException(mark, "stray bracket or comma");
    begin_ = mark;
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}  // nothing follows a `---`
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { Note(mark); }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t, const std::string&) override { Note(mark); }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
    Note(mark);
  }
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
    Note(mark);
  }
  void OnMapEnd() override {}

 private:
  void Note(const YAML::Mark& mark) {
    if (documents_ > 1 && !second_.has_value()) second_ = mark;
  }

  size_t documents_ = 0;
  YAML::Mark begin_;
  std::optional<YAML::Mark> second_;
};

// Throws YAML::Exception.
std::optional<YAML::Mark> SecondDocument(const std::string& text) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  DocumentWatch watch;
  while (!watch.second().has_value() && parser.HandleNextDocument(watch)) {
  }
  return watch.second();
}

}  // namespace

YamlValue::YamlValue(const YAML::Node& node, std::shared_ptr<const std::string> path, std::string field)
    : node_(node), path_(std::move(path)), field_(std::move(field)) {
  const int line = node_.Mark().line;  // from 0; -1 if yaml-cpp does not know it
  line_ = line < 0 ? 1 : line + 1;
}

absl::StatusOr<YamlValue> YamlValue::ReadFile(const std::string& path, size_t max_bytes) {
  ASSIGN_OR_RETURN(std::string text, ReadTextFile(path, max_bytes));
  return Parse(text, path);
}

absl::StatusOr<YamlValue> YamlValue::Parse(const std::string& text, const std::string& path) {
  try {
    const std::optional<YAML::Mark> second = SecondDocument(text);
    if (second.has_value()) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ":", second->line + 1, ": another document begins here: the file may hold one"));
    }
    return YamlValue(YAML::Load(text), std::make_shared<const std::string>(path), "");
  } catch (const YAML::Exception& error) {
    // The text after a colon quotes the file, which may be a secret that the user passed by mistake.
    const absl::string_view what = absl::string_view(error.msg).substr(0, error.msg.find(':'));
    return absl::InvalidArgumentError(absl::StrCat(path, ":", error.mark.line + 1, ": not valid YAML: ", what));
  } catch (const std::exception& error) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": not valid YAML: ", error.what()));
  }
}

absl::StatusOr<std::vector<std::pair<std::string, YamlValue>>> YamlValue::Fields() const {
  if (!node_.IsMap()) return Error("expected a map of `name: value`");
  std::vector<std::pair<std::string, YamlValue>> fields;
  absl::flat_hash_set<std::string> names;
  for (const auto& entry : node_) {
    const YAML::Node& key = entry.first;
    const YAML::Node& value = entry.second;
    if (!key.IsScalar()) return YamlValue(key, path_, field_).Error("a name must be plain text");
    const std::string& name = key.Scalar();
    const std::string shown = Printable(name, kMaxShown);
    YamlValue field(value, path_, field_.empty() ? shown : absl::StrCat(field_, ".", shown));
    // An empty value has no position.
    if (value.IsNull()) field.line_ = key.Mark().line + 1;
    if (!names.insert(name).second) return field.Error("stands here twice: keep one");
    fields.emplace_back(name, std::move(field));
  }
  return fields;
}

absl::StatusOr<YamlValue> YamlValue::Field(absl::string_view name, absl::string_view meaning) const {
  ASSIGN_OR_RETURN(std::optional<YamlValue> field, OptionalField(name));
  if (!field.has_value()) return Error(absl::StrCat(name, " is missing: add it (", meaning, ")"));
  return *std::move(field);
}

absl::StatusOr<std::optional<YamlValue>> YamlValue::OptionalField(absl::string_view name) const {
  ASSIGN_OR_RETURN(auto fields, Fields());
  for (auto& [field_name, value] : fields) {
    if (field_name == name) return std::move(value);
  }
  return std::nullopt;
}

absl::Status YamlValue::CheckFields(std::initializer_list<absl::string_view> known) const {
  ASSIGN_OR_RETURN(const auto fields, Fields());
  for (const auto& [name, value] : fields) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    return value.Error(absl::StrCat("unknown field: known are ", absl::StrJoin(known, ", ")));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> YamlValue::UnknownFields(std::initializer_list<absl::string_view> known) const {
  ASSIGN_OR_RETURN(const auto fields, Fields());
  std::string warning;
  size_t unknown = 0;
  for (const auto& [name, value] : fields) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    ++unknown;
    if (unknown == 1) warning = std::string(value.Error("unknown field, not used").message());
    if (unknown > 1 && unknown <= kMaxNamed) absl::StrAppend(&warning, ", nor is ", value.field_);
  }
  if (unknown > kMaxNamed) absl::StrAppend(&warning, ", nor are ", unknown - kMaxNamed, " more");
  return warning;
}

absl::StatusOr<std::vector<YamlValue>> YamlValue::Items(size_t max_items) const {
  if (!node_.IsSequence()) return Error("expected a list");
  if (node_.size() > max_items) {
    return Error(absl::StrCat("the list has ", node_.size(), " items, at most ", max_items, " are allowed"));
  }
  std::vector<YamlValue> items;
  items.reserve(node_.size());
  for (const YAML::Node& item : node_) {
    items.push_back(YamlValue(item, path_, absl::StrCat(field_, "[", items.size(), "]")));
  }
  return items;
}

absl::StatusOr<std::string> YamlValue::Text() const {
  if (!node_.IsScalar()) return Error("expected a single value");
  return node_.Scalar();
}

absl::StatusOr<uint64_t> YamlValue::Number(uint64_t min, uint64_t max) const {
  ASSIGN_OR_RETURN(std::string text, Text());
  const std::optional<uint64_t> number = ParseDecimal(text);
  if (!number.has_value() || *number < min || *number > max) {
    return Error(
        absl::StrCat("expected a whole number from ", min, " to ", max, ", got \"", Printable(text, kMaxShown), "\""));
  }
  return *number;
}

absl::Status YamlValue::Error(absl::string_view what) const {
  return absl::InvalidArgumentError(absl::StrCat(*path_, ":", line_, ": ", field_, field_.empty() ? "" : ": ", what));
}

}  // namespace lean
