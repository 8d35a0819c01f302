// What victims have in common: requests to the real signer, and what came of them, told on standard output.
#ifndef LEAN_TESTS_VALIDATOR_CLIENT_SIGNING_RECORDS_VICTIMS_VICTIM_SIGNING_H_
#define LEAN_TESTS_VALIDATOR_CLIENT_SIGNING_RECORDS_VICTIMS_VICTIM_SIGNING_H_

#include <cstdint>
#include <random>
#include <vector>

#include "common/bytes/bytes.h"
#include "common/containers/attestation.h"
#include "validator_client/signing/signer.h"

namespace lean::validator {

// One message. It is shorter than what a pipe takes at once (4096 bytes), so it arrives as a whole or not at all.
struct VictimMessage {
  enum class Kind : uint64_t {
    kOpened,    // the records are open
    kReleased,  // a signature has left the signer
    kRefused,   // the records refused a root
    kFailed,    // the records could not be opened or written
    kDeleted,   // the keymanager says that the key of validator 1 is gone
    kDone,      // every request was made; `slot` is the number of the disk's operations
  };

  Kind kind = Kind::kOpened;
  uint64_t index = 0;
  uint64_t slot = 0;
  Root root;
  SignatureBytes signature;
};
static_assert(sizeof(VictimMessage) <= 4096);

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

#endif  // LEAN_TESTS_VALIDATOR_CLIENT_SIGNING_RECORDS_VICTIMS_VICTIM_SIGNING_H_
