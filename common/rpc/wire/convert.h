// Converts containers to messages of proto/lean/v1/types.proto and back.
//
// FromProto accepts messages that are not trusted: each root and signature must have its exact length, each sub-message
// must be present, and lists must be within their limits. Errors are MALFORMED_REQUEST and name the field by its path,
// with sizes but never with the bytes: "block.attestations[3].data.head.root: 31 bytes, expected 32". The values are
// not checked against the chain here.
#ifndef LEAN_COMMON_RPC_WIRE_CONVERT_H_
#define LEAN_COMMON_RPC_WIRE_CONVERT_H_

#include <cstring>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/bytes/bytes.h"
#include "common/containers/attestation.h"
#include "common/containers/block.h"
#include "common/rpc/wire/status.h"
#include "common/status/status_macros.h"
#include "lean/v1/types.pb.h"

namespace lean::rpc {

// Copies a `bytes` field of fixed size to `out`. `field` is its name, for the error.
template <typename B>
absl::Status TakeBytes(absl::string_view bytes, absl::string_view field, B& out) {
  if (bytes.size() != B::kSize) {
    return MalformedRequest(absl::StrCat(field, ": ", bytes.size(), " bytes, expected ", B::kSize));
  }
  std::memcpy(out.data.data(), bytes.data(), B::kSize);
  return absl::OkStatus();
}

template <typename B>
absl::StatusOr<B> FixedBytesFromProto(absl::string_view bytes, absl::string_view field) {
  B value;
  RETURN_IF_ERROR(TakeBytes(bytes, field, value));
  return value;
}

template <size_t N>
std::string BytesToProto(const Bytes<N>& bytes) {
  return std::string(reinterpret_cast<const char*>(bytes.data.data()), N);
}

v1::Checkpoint ToProto(const Checkpoint& checkpoint);
v1::AttestationData ToProto(const AttestationData& data);
v1::Attestation ToProto(const Attestation& attestation);
v1::SignedAttestation ToProto(const SignedAttestation& vote);
v1::Block ToProto(const Block& block);
v1::BlockHeader ToProto(const BlockHeader& header);
v1::SignedBlock ToProto(const SignedBlockWithAttestation& block);

absl::StatusOr<Checkpoint> FromProto(const v1::Checkpoint& message);
absl::StatusOr<AttestationData> FromProto(const v1::AttestationData& message);
absl::StatusOr<Attestation> FromProto(const v1::Attestation& message);
absl::StatusOr<SignedAttestation> FromProto(const v1::SignedAttestation& message);
// At most 4095 votes, because one of the 4096 signatures is the proposer's.
absl::StatusOr<Block> FromProto(const v1::Block& message);
absl::StatusOr<BlockHeader> FromProto(const v1::BlockHeader& message);
// Exactly one signature for each vote, then the proposer's.
absl::StatusOr<SignedBlockWithAttestation> FromProto(const v1::SignedBlock& message);

}  // namespace lean::rpc

#endif  // LEAN_COMMON_RPC_WIRE_CONVERT_H_
