// JSON of the containers that several answers have.
#ifndef LEAN_BEACON_HTTP_JSON_H_
#define LEAN_BEACON_HTTP_JSON_H_

#include "common/bytes/bytes.h"
#include "common/containers/attestation.h"
#include "lean/v1/beacon.pb.h"
#include "nlohmann/json.hpp"

namespace lean::beacon {

// Keeps the order of its fields, as other lean clients do.
using Json = nlohmann::ordered_json;

// Compact. Text that is not UTF-8 is shown with replacement characters.
inline std::string Compact(const Json& json) {
  return json.dump(-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

inline Json ToJson(const Checkpoint& checkpoint) {
  return {{"slot", checkpoint.slot}, {"root", ToHex(checkpoint.root.span())}};
}
inline Json ToJson(const v1::CheckpointView& checkpoint) {
  return {{"slot", checkpoint.slot()}, {"root", checkpoint.root()}};
}
inline Json ToJson(const v1::VoteGroup& votes) {
  return {{"slot", votes.slot()}, {"head", ToJson(votes.head())}, {"validators", votes.validators()}};
}
inline Json ToJson(const AttestationData& data) {
  return {{"slot", data.slot},
          {"head", ToJson(data.head)},
          {"target", ToJson(data.target)},
          {"source", ToJson(data.source)}};
}
inline Json ToJson(const v1::AttestationView& vote) {
  return {{"validator_id", vote.validator_index()},
          {"data",
           {{"slot", vote.slot()},
            {"head", ToJson(vote.head())},
            {"target", ToJson(vote.target())},
            {"source", ToJson(vote.source())}}}};
}

}  // namespace lean::beacon

#endif  // LEAN_BEACON_HTTP_JSON_H_
