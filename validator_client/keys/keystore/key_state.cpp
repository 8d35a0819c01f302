#include "validator_client/keys/keystore/key_state.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

namespace lean::validator {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr char kAuthority[] = "slashing-protection";
constexpr char kNoAuthority[] = "none";
constexpr uint64_t kEndOfSlots = uint64_t{1} << xmss::kMaxLogLifetime;
constexpr size_t kMaxRanges = 1024;

bool ReadAuthority(JsonFields& fields) {
  const std::string authority = fields.Text("state.authority");
  if (authority != kAuthority && authority != kNoAuthority) {
    fields.Fail("state.authority", absl::StrCat("is neither \"", kAuthority, "\" nor \"", kNoAuthority,
                                                "\" (exported without records), as a synchronized key needs"));
  }
  return authority == kNoAuthority;
}

// nullopt: nothing was signed. EIP-8310 has no value for that, so both fields are 0.
std::optional<uint64_t> ReadHighWater(JsonFields& fields) {
  uint64_t consumed = 0;
  if (fields.Has("state.capacity")) {
    const uint64_t total = fields.Number("state.capacity.total");
    const uint64_t remaining = fields.Number("state.capacity.remaining");
    consumed = fields.Number("state.capacity.consumed");
    if (consumed > total || remaining != total - consumed) {
      fields.Fail("state.capacity", "total is not the sum of consumed and remaining");
    }
  }
  if (!fields.Has("state.high_water")) return std::nullopt;
  const uint64_t high_water = fields.Number("state.high_water");
  if (high_water >= kEndOfSlots) fields.Fail("state.high_water", "no key has a leaf of 2^32 or more");
  if (high_water == 0 && consumed == 0) return std::nullopt;
  return high_water;
}

// The fields of one range, with the same rules as for a document.
struct LeafRange {
  uint64_t start = 0;
  uint64_t end = 0;
};

LeafRange ReadRange(const json& value, const std::string& path, JsonFields& fields) {
  JsonFields range(value);
  range.Text("id");
  const LeafRange read = {range.Number("start"), range.Number("end")};
  const uint64_t high_water = range.Number("high_water");
  range.ExpectNothingElse();
  if (!range.status().ok()) fields.Fail(path, range.status().message());
  if (read.start > read.end || high_water < read.start || high_water > read.end) {
    fields.Fail(path, "its start, high_water and end are not in that order");
  }
  return read;
}

void CheckRanges(JsonFields& fields) {
  const std::string name = "state.reserved_ranges";
  if (!fields.Has(name)) return;
  const json* ranges = fields.Array(name);
  if (ranges == nullptr || ranges->empty()) return;
  if (ranges->size() > kMaxRanges) return fields.Fail(name, absl::StrCat("has more than ", kMaxRanges, " ranges"));
  std::map<uint64_t, uint64_t> ends;  // by start
  for (size_t i = 0; i < ranges->size(); ++i) {
    const std::string path = absl::StrCat(name, "[", i, "]");
    const LeafRange range = ReadRange((*ranges)[i], path, fields);
    const auto [at, added] = ends.emplace(range.start, range.end);
    const bool meets_next = std::next(at) != ends.end() && std::next(at)->first <= range.end;
    const bool meets_previous = at != ends.begin() && std::prev(at)->second >= range.start;
    if (!added || meets_next || meets_previous) fields.Fail(path, "shares leaves with another range");
  }
  fields.Fail(name, "is for keys in counter mode: the leaf of this key is its slot, and one client signs them all");
}

}  // namespace

KeyState ReadKeyState(JsonFields& fields) {
  KeyState state;
  if (fields.Flag("state.authoritative")) {
    fields.Fail("state.authoritative",
                "is true: a file can be restored from a copy, so it never says what may be signed");
  }
  state.recovery_only = ReadAuthority(fields);
  if (fields.Has("state.reference")) state.reference = fields.Text("state.reference");
  state.high_water = ReadHighWater(fields);
  CheckRanges(fields);
  return state;
}

ordered_json FormatKeyState(const KeyState& state, const xmss::SlotRange& active) {
  const uint64_t consumed_end =
      std::clamp(state.high_water.has_value() ? *state.high_water + 1 : active.first, active.first, active.end);
  const uint64_t consumed = consumed_end - active.first;
  ordered_json root = {{"authoritative", false}, {"authority", state.recovery_only ? kNoAuthority : kAuthority}};
  if (!state.reference.empty()) root["reference"] = state.reference;
  root["capacity"] = {{"total", active.size()}, {"consumed", consumed}, {"remaining", active.size() - consumed}};
  root["high_water"] = state.high_water.value_or(0);
  root["reserved_ranges"] = ordered_json::array();
  return root;
}

}  // namespace lean::validator
