#include "common/rpc/convert.h"

#include <utility>

#include "common/containers/limits.h"

namespace lean::rpc {
namespace {

// The error of a sub-message, with the field that holds it in front of its path.
absl::Status Within(absl::string_view field, const absl::Status& status) {
  return MalformedRequest(absl::StrCat(field, ".", status.message()));
}

absl::Status Missing(absl::string_view field) { return MalformedRequest(absl::StrCat(field, ": missing")); }

// Converts a sub-message that must be there.
template <typename T, typename Message>
absl::Status Take(bool present, const Message& message, absl::string_view field, T& out) {
  if (!present) return Missing(field);
  absl::StatusOr<T> value = FromProto(message);
  if (!value.ok()) return Within(field, value.status());
  out = *std::move(value);
  return absl::OkStatus();
}

template <typename B>
absl::Status TakeBytes(const std::string& bytes, absl::string_view field, B& out) {
  absl::StatusOr<B> value = FixedBytesFromProto<B>(bytes, field);
  if (!value.ok()) return value.status();
  out = *value;
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
  if (absl::Status status = TakeBytes(message.root(), "root", checkpoint.root); !status.ok()) return status;
  return checkpoint;
}

absl::StatusOr<AttestationData> FromProto(const v1::AttestationData& message) {
  AttestationData data;
  data.slot = message.slot();
  absl::Status status = Take(message.has_head(), message.head(), "head", data.head);
  if (status.ok()) status = Take(message.has_target(), message.target(), "target", data.target);
  if (status.ok()) status = Take(message.has_source(), message.source(), "source", data.source);
  if (!status.ok()) return status;
  return data;
}

absl::StatusOr<Attestation> FromProto(const v1::Attestation& message) {
  Attestation attestation;
  attestation.validator_id = message.validator_index();
  absl::Status status = Take(message.has_data(), message.data(), "data", attestation.data);
  if (!status.ok()) return status;
  return attestation;
}

absl::StatusOr<SignedAttestation> FromProto(const v1::SignedAttestation& message) {
  SignedAttestation vote;
  absl::Status status = Take(message.has_attestation(), message.attestation(), "attestation", vote.message);
  if (status.ok()) status = TakeBytes(message.signature(), "signature", vote.signature);
  if (!status.ok()) return status;
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
  absl::Status status = TakeBytes(message.parent_root(), "parent_root", block.parent_root);
  if (status.ok()) status = TakeBytes(message.state_root(), "state_root", block.state_root);
  if (!status.ok()) return status;
  std::vector<Attestation> attestations;
  attestations.reserve(votes);
  for (const v1::Attestation& vote : message.attestations()) {
    absl::StatusOr<Attestation> attestation = FromProto(vote);
    if (!attestation.ok()) {
      return Within(absl::StrCat("attestations[", attestations.size(), "]"), attestation.status());
    }
    attestations.push_back(*std::move(attestation));
  }
  block.body.attestations = *Attestations::FromVector(std::move(attestations));  // the limit was checked above
  return block;
}

absl::StatusOr<SignedBlockWithAttestation> FromProto(const v1::SignedBlock& message) {
  SignedBlockWithAttestation block;
  absl::Status status = Take(message.has_block(), message.block(), "block", block.message.block);
  if (status.ok()) {
    status = Take(message.has_proposer_attestation(), message.proposer_attestation(), "proposer_attestation",
                  block.message.proposer_attestation);
  }
  if (!status.ok()) return status;
  const size_t expected = block.message.block.body.attestations.size() + 1;
  if (static_cast<size_t>(message.signatures_size()) != expected) {
    return MalformedRequest(absl::StrCat("signatures: ", message.signatures_size(), ", expected ", expected,
                                         ": one a vote, then the proposer's"));
  }
  std::vector<SignatureBytes> signatures(expected);
  for (size_t i = 0; i < expected; ++i) {
    const std::string& bytes = message.signatures(static_cast<int>(i));
    // The name with its index is only made when it is needed: there are thousands.
    const std::string field = bytes.size() == SignatureBytes::kSize ? "" : absl::StrCat("signatures[", i, "]");
    status = TakeBytes(bytes, field, signatures[i]);
    if (!status.ok()) return status;
  }
  block.signature = *BlockSignatures::FromVector(std::move(signatures));  // one more than the votes, which were checked
  return block;
}

}  // namespace lean::rpc
