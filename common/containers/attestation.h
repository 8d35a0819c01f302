// Votes and the checkpoints that they name. Source: leanSpec 050fa4a, containers/attestation, containers/checkpoint.py.
#ifndef LEAN_COMMON_CONTAINERS_ATTESTATION_H_
#define LEAN_COMMON_CONTAINERS_ATTESTATION_H_

#include <cstdint>
#include <tuple>

#include "common/bytes/bytes.h"
#include "common/ssz/fields.h"

namespace lean {

// 40 bytes.
struct Checkpoint {
  Root root;
  uint64_t slot = 0;

  static constexpr auto Fields() {
    return std::make_tuple(ssz::Field("root", &Checkpoint::root), ssz::Field("slot", &Checkpoint::slot));
  }
  friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

// A validator's view of the chain. Validators with the same view have equal data. 128 bytes.
struct AttestationData {
  uint64_t slot = 0;
  Checkpoint head;
  Checkpoint target;
  Checkpoint source;

  static constexpr auto Fields() {
    return std::make_tuple(ssz::Field("slot", &AttestationData::slot), ssz::Field("head", &AttestationData::head),
                           ssz::Field("target", &AttestationData::target),
                           ssz::Field("source", &AttestationData::source));
  }
  friend bool operator==(const AttestationData&, const AttestationData&) = default;
};

// The vote of a validator. Its root is the signed message. 136 bytes.
struct Attestation {
  uint64_t validator_id = 0;
  AttestationData data;

  static constexpr auto Fields() {
    return std::make_tuple(ssz::Field("validator_id", &Attestation::validator_id),
                           ssz::Field("data", &Attestation::data));
  }
  friend bool operator==(const Attestation&, const Attestation&) = default;
};

// 3252 bytes.
struct SignedAttestation {
  Attestation message;
  SignatureBytes signature;

  static constexpr auto Fields() {
    return std::make_tuple(ssz::Field("message", &SignedAttestation::message),
                           ssz::Field("signature", &SignedAttestation::signature));
  }
  friend bool operator==(const SignedAttestation&, const SignedAttestation&) = default;
};

}  // namespace lean

#endif  // LEAN_COMMON_CONTAINERS_ATTESTATION_H_
