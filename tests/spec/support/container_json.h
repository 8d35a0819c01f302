// Containers from the JSON of the vectors: names in camelCase, byte arrays in hex, lists as {"data": [...]}.
#ifndef LEAN_TESTS_SPEC_SUPPORT_CONTAINER_JSON_H_
#define LEAN_TESTS_SPEC_SUPPORT_CONTAINER_JSON_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/bytes/bytes.h"
#include "common/ssz/bitlist.h"
#include "common/ssz/fields.h"
#include "common/ssz/list.h"
#include "common/ssz/root_list.h"
#include "common/ssz/shared_list.h"
#include "common/status/status_macros.h"
#include "nlohmann/json.hpp"

namespace lean::spec {

// latest_block_header -> latestBlockHeader.
std::string CamelCase(absl::string_view snake_case);

// The array of {"data": [...]}. InvalidArgument: anything else.
absl::StatusOr<const nlohmann::json*> ListData(const nlohmann::json& json);

absl::Status LoadJson(const nlohmann::json& json, uint64_t& out);
absl::Status LoadJson(const nlohmann::json& json, absl::Span<uint8_t> out);
absl::StatusOr<ssz::Bits> BitsFromJson(const nlohmann::json& json);

template <size_t N>
absl::Status LoadJson(const nlohmann::json& json, Bytes<N>& out) {
  return LoadJson(json, out.mutable_span());
}

template <typename T, uint64_t Limit>
absl::Status LoadJson(const nlohmann::json& json, ssz::List<T, Limit>& out);
template <typename T, uint64_t Limit>
absl::Status LoadJson(const nlohmann::json& json, ssz::SharedList<T, Limit>& out);
template <uint64_t Limit>
absl::Status LoadJson(const nlohmann::json& json, ssz::RootList<Limit>& out);
template <uint64_t Limit>
absl::Status LoadJson(const nlohmann::json& json, ssz::Bitlist<Limit>& out);

template <ssz::Container T>
absl::Status LoadJson(const nlohmann::json& json, T& out) {
  absl::Status status;
  ssz::ForEachField<T>([&](const auto& field) {
    if (!status.ok()) return;
    const auto member = json.is_object() ? json.find(CamelCase(field.name)) : json.end();
    status = ssz::InField(field.name, member == json.end() ? absl::InvalidArgumentError("is missing")
                                                           : LoadJson(*member, out.*field.member));
  });
  return status;
}

// InvalidArgument, naming the field: not this container.
template <typename T>
absl::StatusOr<T> FromJson(const nlohmann::json& json) {
  T value;
  RETURN_IF_ERROR(LoadJson(json, value));
  return value;
}

// Any list that can be made from a vector of its elements.
template <typename List>
absl::Status LoadList(const nlohmann::json& json, List& out) {
  ASSIGN_OR_RETURN(const nlohmann::json* data, ListData(json));
  std::vector<typename List::value_type> elements(data->size());
  for (size_t i = 0; i < elements.size(); ++i) {
    RETURN_IF_ERROR(LoadJson((*data)[i], elements[i]), ssz::InField(std::to_string(i), _));
  }
  ASSIGN_OR_RETURN(List list, List::FromVector(std::move(elements)));
  out = std::move(list);
  return absl::OkStatus();
}

template <typename T, uint64_t Limit>
absl::Status LoadJson(const nlohmann::json& json, ssz::List<T, Limit>& out) {
  return LoadList(json, out);
}

template <typename T, uint64_t Limit>
absl::Status LoadJson(const nlohmann::json& json, ssz::SharedList<T, Limit>& out) {
  return LoadList(json, out);
}

template <uint64_t Limit>
absl::Status LoadJson(const nlohmann::json& json, ssz::RootList<Limit>& out) {
  return LoadList(json, out);
}

template <uint64_t Limit>
absl::Status LoadJson(const nlohmann::json& json, ssz::Bitlist<Limit>& out) {
  const absl::StatusOr<ssz::Bits> bits = BitsFromJson(json);
  return bits.ok() ? out.Assign(*bits) : bits.status();
}

}  // namespace lean::spec

#endif  // LEAN_TESTS_SPEC_SUPPORT_CONTAINER_JSON_H_
