#include "common/rpc/wire/convert.h"

#include <utility>

#include "common/containers/limits.h"
#include "common/status/status_macros.h"

namespace lean::rpc {
namespace {

// The error of a sub-message, with the name of the field that holds it in front of its path.
absl::Status Within(absl::string_view field, const absl::Status& status) {
  return MalformedRequest(absl::StrCat(field, ".", status.message()));
}

absl::Status Missing(absl::string_view field) { return MalformedRequest(absl::StrCat(field, ": missing")); }

// Converts a sub-message that is required.
template <typename T, typename Message>
absl::Status Take(bool present, const Message& message, absl::string_view field, T& out) {
  if (!present) return Missing(field);
  ASSIGN_OR_RETURN(T value, FromProto(message), Within(field, _));
  out = std::move(value);
  return absl::OkStatus();
}

}  // namespace

v1::Checkpoint ToProto(const Checkpoint& checkpoint) {
  v1::Checkpoint message;
  message.set_root(BytesToProto(checkpoint.root));
  message.set_slot(checkpoint.slot);
  return message;
}

v1::AttestationData ToProto(const AttestationData& data) {
  v1::AttestationData message;
  message.set_slot(data.slot);
  *message.mutable_head() = ToProto(data.head);
  *message.mutable_target() = ToProto(data.target);
  *message.mutable_source() = ToProto(data.source);
  return message;
}

v1::Attestation ToProto(const Attestation& attestation) {
  v1::Attestation message;
  message.set_validator_index(attestation.validator_id);
  *message.mutable_data() = ToProto(attestation.data);
  return message;
}

v1::SignedAttestation ToProto(const SignedAttestation& vote) {
  v1::SignedAttestation message;
  *message.mutable_attestation() = ToProto(vote.message);
  message.set_signature(BytesToProto(vote.signature));
  return message;
}

v1::Block ToProto(const Block& block) {
  v1::Block message;
  message.set_slot(block.slot);
  message.set_proposer_index(block.proposer_index);
  message.set_parent_root(BytesToProto(block.parent_root));
  message.set_state_root(BytesToProto(block.state_root));
  for (const Attestation& attestation : block.body.attestations) *message.add_attestations() = ToProto(attestation);
  return message;
}

v1::BlockHeader ToProto(const BlockHeader& header) {
  v1::BlockHeader message;
  message.set_slot(header.slot);
  message.set_proposer_index(header.proposer_index);
  message.set_parent_root(BytesToProto(header.parent_root));
  message.set_state_root(BytesToProto(header.state_root));
  message.set_body_root(BytesToProto(header.body_root));
  return message;
}

v1::SignedBlock ToProto(const SignedBlockWithAttestation& block) {
  v1::SignedBlock message;
  *message.mutable_block() = ToProto(block.message.block);
  *message.mutable_proposer_attestation() = ToProto(block.message.proposer_attestation);
  for (const SignatureBytes& signature : block.signature) message.add_signatures(BytesToProto(signature));
  return message;
}

absl::StatusOr<Checkpoint> FromProto(const v1::Checkpoint& message) {
  Checkpoint checkpoint;
  checkpoint.slot = message.slot();
  RETURN_IF_ERROR(TakeBytes(message.root(), "root", checkpoint.root));
  return checkpoint;
}

absl::StatusOr<AttestationData> FromProto(const v1::AttestationData& message) {
  AttestationData data;
  data.slot = message.slot();
  RETURN_IF_ERROR(Take(message.has_head(), message.head(), "head", data.head));
  RETURN_IF_ERROR(Take(message.has_target(), message.target(), "target", data.target));
  RETURN_IF_ERROR(Take(message.has_source(), message.source(), "source", data.source));
  return data;
}

absl::StatusOr<Attestation> FromProto(const v1::Attestation& message) {
  Attestation attestation;
  attestation.validator_id = message.validator_index();
  RETURN_IF_ERROR(Take(message.has_data(), message.data(), "data", attestation.data));
  return attestation;
}

absl::StatusOr<SignedAttestation> FromProto(const v1::SignedAttestation& message) {
  SignedAttestation vote;
  RETURN_IF_ERROR(Take(message.has_attestation(), message.attestation(), "attestation", vote.message));
  RETURN_IF_ERROR(TakeBytes(message.signature(), "signature", vote.signature));
  return vote;
}

absl::StatusOr<Block> FromProto(const v1::Block& message) {
  const size_t votes = static_cast<size_t>(message.attestations_size());
  if (votes > kMaxVotesInBody) {
    return MalformedRequest(absl::StrCat("attestations: ", votes, " votes, at most ", kMaxVotesInBody));
  }
  Block block;
  block.slot = message.slot();
  block.proposer_index = message.proposer_index();
  RETURN_IF_ERROR(TakeBytes(message.parent_root(), "parent_root", block.parent_root));
  RETURN_IF_ERROR(TakeBytes(message.state_root(), "state_root", block.state_root));
  std::vector<Attestation> attestations;
  attestations.reserve(votes);
  for (const v1::Attestation& vote : message.attestations()) {
    ASSIGN_OR_RETURN(Attestation attestation, FromProto(vote),
                     Within(absl::StrCat("attestations[", attestations.size(), "]"), _));
    attestations.push_back(std::move(attestation));
  }
  block.body.attestations = *Attestations::FromVector(std::move(attestations));  // the limit was checked above
  return block;
}

absl::StatusOr<BlockHeader> FromProto(const v1::BlockHeader& message) {
  BlockHeader header;
  header.slot = message.slot();
  header.proposer_index = message.proposer_index();
  RETURN_IF_ERROR(TakeBytes(message.parent_root(), "parent_root", header.parent_root));
  RETURN_IF_ERROR(TakeBytes(message.state_root(), "state_root", header.state_root));
  RETURN_IF_ERROR(TakeBytes(message.body_root(), "body_root", header.body_root));
  return header;
}

absl::StatusOr<SignedBlockWithAttestation> FromProto(const v1::SignedBlock& message) {
  SignedBlockWithAttestation block;
  RETURN_IF_ERROR(Take(message.has_block(), message.block(), "block", block.message.block));
  RETURN_IF_ERROR(Take(message.has_proposer_attestation(), message.proposer_attestation(), "proposer_attestation",
                       block.message.proposer_attestation));
  const size_t expected = block.message.block.body.attestations.size() + 1;
  if (static_cast<size_t>(message.signatures_size()) != expected) {
    return MalformedRequest(absl::StrCat("signatures: ", message.signatures_size(), ", expected ", expected,
                                         ": one a vote, then the proposer's"));
  }
  std::vector<SignatureBytes> signatures(expected);
  for (size_t i = 0; i < expected; ++i) {
    const std::string& bytes = message.signatures(static_cast<int>(i));
    // The name with its index is only created for an error, because there are thousands of them.
    const std::string field = bytes.size() == SignatureBytes::kSize ? "" : absl::StrCat("signatures[", i, "]");
    RETURN_IF_ERROR(TakeBytes(bytes, field, signatures[i]));
  }
  block.signature =
      *BlockSignatures::FromVector(std::move(signatures));  // one more than the votes, whose number was checked
  return block;
}

}  // namespace lean::rpc
