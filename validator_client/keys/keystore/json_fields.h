// Reads the fields of a JSON document that is not trusted.
#ifndef LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORE_JSON_FIELDS_H_
#define LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORE_JSON_FIELDS_H_

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "nlohmann/json.hpp"

namespace lean::validator {

// Reads fields of nested objects by their path, for example "crypto.kdf.params.n". Keeps the first error in status();
// later reads return empty values. The error names the path. `root` must outlive this object.
class JsonFields {
 public:
  explicit JsonFields(const nlohmann::json& root) : root_(root) {}

  const absl::Status& status() const { return status_; }
  void Fail(absl::string_view path, absl::string_view what);

  // Whether the field is there. Does not count as reading it.
  bool Has(absl::string_view path) const { return Look(path) != nullptr; }

  uint64_t Number(const std::string& path);
  bool Flag(const std::string& path);
  std::string Text(const std::string& path);
  std::vector<uint8_t> Bytes(const std::string& path);  // of hex
  void FixedBytes(const std::string& path, absl::Span<uint8_t> out);
  // An array or object, which the caller reads itself; null after an error.
  const nlohmann::json* Array(const std::string& path);
  const nlohmann::json* Object(const std::string& path);

  // An object without fields, or none.
  void ExpectEmpty(const std::string& path);
  void Expect(const std::string& path, absl::string_view expected);
  void Expect(const std::string& path, uint64_t expected);
  // Refuses all fields that were not read, since their meaning may matter.
  void ExpectNothingElse() { ExpectKnown(root_, ""); }

 private:
  void ExpectKnown(const nlohmann::json& object, const std::string& prefix);
  // null: not there.
  const nlohmann::json* Look(absl::string_view path) const;
  // The same, as a read: a missing field is an error.
  const nlohmann::json* Find(const std::string& path);

  const nlohmann::json& root_;
  std::set<std::string> asked_;
  absl::Status status_;
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_KEYS_KEYSTORE_JSON_FIELDS_H_
