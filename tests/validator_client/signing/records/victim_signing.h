// What victims have in common: requests to the real signer, and what came of them, told on standard output.
#ifndef LEAN_TESTS_VALIDATOR_CLIENT_SIGNING_RECORDS_VICTIM_SIGNING_H_
#define LEAN_TESTS_VALIDATOR_CLIENT_SIGNING_RECORDS_VICTIM_SIGNING_H_

#include <cstdint>
#include <random>
#include <vector>

#include "common/containers/attestation.h"
#include "tests/validator_client/signing/records/victim_protocol.h"
#include "validator_client/signing/signer.h"

namespace lean::validator {

// Thread-safe: a message goes out as a whole.
void Tell(const VictimMessage& message);
void TellKind(VictimMessage::Kind kind, uint64_t slot = 0);

class VictimSigning {
 public:
  // `signer` outlives it.
  VictimSigning(Signer& signer, uint64_t seed) : signer_(signer), random_(seed) {}

  // With every key the signer has: for two roots of the slot's leaf, for the first of them again, and for another root
  // of an older leaf.
  void AskAllOf(uint64_t slot);

 private:
  std::vector<Attestation> NewVotes(uint64_t slot);
  void Ask(uint64_t slot, const std::vector<Attestation>& votes);

  Signer& signer_;
  std::mt19937_64 random_;
};

}  // namespace lean::validator

#endif  // LEAN_TESTS_VALIDATOR_CLIENT_SIGNING_RECORDS_VICTIM_SIGNING_H_
