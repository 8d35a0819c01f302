// Reads YAML files of our configuration. Errors contain file, line and field. yaml-cpp throws exceptions; this class
// does not.
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

// A value of a YAML file and its position. Cheap to copy; copies share the file. Not thread-safe. Every error is an
// InvalidArgument of the form "FILE:LINE: FIELD: what is wrong".
class YamlValue {
 public:
  // The root of a file. A second document in the file is an error, because it would be ignored. Returns errors of
  // ReadTextFile unchanged.
  static absl::StatusOr<YamlValue> ReadFile(const std::string& path, size_t max_bytes);
  // The root of `text`. Errors use `path` as its name.
  static absl::StatusOr<YamlValue> Parse(const std::string& text, const std::string& path);

  // Whether there is no value: an empty file, or a field without anything after its colon.
  bool empty() const { return node_.IsNull(); }

  // For a map. A duplicate field is an error.
  absl::StatusOr<std::vector<std::pair<std::string, YamlValue>>> Fields() const;
  // `meaning` describes a missing field in the error: "the Unix time of slot 0, in seconds".
  absl::StatusOr<YamlValue> Field(absl::string_view name, absl::string_view meaning) const;
  absl::StatusOr<std::optional<YamlValue>> OptionalField(absl::string_view name) const;

  // For a map: an error if it has a field that is not in `known`, because an unknown field may be important.
  absl::Status CheckFields(std::initializer_list<absl::string_view> known) const;
  // For a map in the format of another tool: a warning that lists the fields that are not in `known`, or an empty
  // string.
  absl::StatusOr<std::string> UnknownFields(std::initializer_list<absl::string_view> known) const;

  // For a list with at most max_items.
  absl::StatusOr<std::vector<YamlValue>> Items(size_t max_items) const;

  // For a scalar: its text, quoted or not.
  absl::StatusOr<std::string> Text() const;
  // For a scalar: a decimal number from min to max.
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
