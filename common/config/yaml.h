// YAML files as our configuration uses them, with errors that name file, line and field. yaml-cpp throws; nothing
// thrown leaves this class.
#ifndef LEAN_COMMON_CONFIG_YAML_H_
#define LEAN_COMMON_CONFIG_YAML_H_

#include <yaml-cpp/yaml.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace lean {

// One value of a YAML file and where it stands. Cheap to copy; copies share the file. Not thread-safe.
// Every error is InvalidArgument of the form "FILE:LINE: FIELD: what is wrong".
class YamlValue {
 public:
  // The root of a file, which holds one document: another one would be read by nobody. Errors of ReadTextFile as they
  // are.
  static absl::StatusOr<YamlValue> ReadFile(const std::string& path, size_t max_bytes);
  // The root of `text`, which errors call `path`.
  static absl::StatusOr<YamlValue> Parse(const std::string& text, const std::string& path);

  // Of a map; refused when a name stands there twice.
  absl::StatusOr<std::vector<std::pair<std::string, YamlValue>>> Fields() const;
  // `meaning` is what the error tells the user to add: "the Unix time of slot 0, in seconds".
  absl::StatusOr<YamlValue> Field(absl::string_view name, absl::string_view meaning) const;
  absl::StatusOr<std::optional<YamlValue>> OptionalField(absl::string_view name) const;

  // Of a map: refuses a field that is not among `known`, since it may say something that must not be missed.
  absl::Status CheckFields(std::initializer_list<absl::string_view> known) const;
  // Of a map of another tool's form: one warning that names the fields that are not among `known`; empty: there are
  // none.
  absl::StatusOr<std::string> UnknownFields(std::initializer_list<absl::string_view> known) const;

  // Of a list with at most max_items.
  absl::StatusOr<std::vector<YamlValue>> Items(size_t max_items) const;

  // Of a scalar: its characters, quoted or not.
  absl::StatusOr<std::string> Text() const;
  // Of a scalar: a decimal number, min..max.
  absl::StatusOr<uint64_t> Number(uint64_t min, uint64_t max) const;

  // An error about this value.
  absl::Status Error(absl::string_view what) const;

  int line() const { return line_; }  // from 1

 private:
  YamlValue(const YAML::Node& node, std::shared_ptr<const std::string> path, std::string field);

  YAML::Node node_;
  std::shared_ptr<const std::string> path_;
  std::string field_;  // empty for the root
  int line_;
};

}  // namespace lean

#endif  // LEAN_COMMON_CONFIG_YAML_H_
