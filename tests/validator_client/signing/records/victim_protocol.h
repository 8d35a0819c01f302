// What a signing process that is about to be killed tells the test that watches it.
#ifndef LEAN_TESTS_VALIDATOR_CLIENT_SIGNING_RECORDS_VICTIM_PROTOCOL_H_
#define LEAN_TESTS_VALIDATOR_CLIENT_SIGNING_RECORDS_VICTIM_PROTOCOL_H_

#include <cstdint>

#include "common/bytes/bytes.h"

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

}  // namespace lean::validator

#endif  // LEAN_TESTS_VALIDATOR_CLIENT_SIGNING_RECORDS_VICTIM_PROTOCOL_H_
