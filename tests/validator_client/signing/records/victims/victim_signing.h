// The common part of victims: requests to the real signer, whose results are written to standard output.
#ifndef LEAN_TESTS_VALIDATOR_CLIENT_SIGNING_RECORDS_VICTIMS_VICTIM_SIGNING_H_
#define LEAN_TESTS_VALIDATOR_CLIENT_SIGNING_RECORDS_VICTIMS_VICTIM_SIGNING_H_

#include <cstdint>
#include <random>
#include <vector>

#include "common/bytes/bytes.h"
#include "common/containers/attestation.h"
#include "validator_client/signing/signer.h"

namespace lean::validator {

// A message. It is shorter than an atomic write to a pipe (4096 bytes), so it arrives completely or not at all.
struct VictimMessage {
  enum class Kind : uint64_t {
    kOpened,    // the records are open
    kReleased,  // a signature has left the signer
    kRefused,   // the records refused a root
    kFailed,    // the records could not be opened or written
    kDeleted,   // the keymanager reports that the key of validator 1 was deleted
    kDone,      // all requests were made; `slot` is the number of disk operations
  };

  Kind kind = Kind::kOpened;
  uint64_t index = 0;
  uint64_t slot = 0;
  Root root;
  SignatureBytes signature;
};
static_assert(sizeof(VictimMessage) <= 4096);

// Thread-safe: a message is written as a whole.
void Tell(const VictimMessage& message);
void TellKind(VictimMessage::Kind kind, uint64_t slot = 0);

class VictimSigning {
 public:
  // `signer` outlives it.
  VictimSigning(Signer& signer, uint64_t seed) : signer_(signer), random_(seed) {}

  // Requests signatures of every key: of two roots for the leaf of the slot, of the first root again, and of another
  // root for an older leaf.
  void AskAllOf(uint64_t slot);

 private:
  std::vector<Attestation> NewVotes(uint64_t slot);
  void Ask(uint64_t slot, const std::vector<Attestation>& votes);

  Signer& signer_;
  std::mt19937_64 random_;
};

}  // namespace lean::validator

#endif  // LEAN_TESTS_VALIDATOR_CLIENT_SIGNING_RECORDS_VICTIMS_VICTIM_SIGNING_H_
