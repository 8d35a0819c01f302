// What a process that keeps a chain, and is about to be killed, tells the test that watches it.
#ifndef LEAN_TESTS_BEACON_STORAGE_FAULTS_VICTIM_MESSAGE_H_
#define LEAN_TESTS_BEACON_STORAGE_FAULTS_VICTIM_MESSAGE_H_

#include <cstdint>

#include "common/containers/attestation.h"

namespace lean::beacon {

// Shorter than what a pipe takes at once, so it arrives as a whole or not at all.
struct VictimMessage {
  enum class Kind : uint64_t {
    kOpened,     // the chain is restored; its finalized checkpoint
    kFinalized,  // as a reader of the running chain sees it
    kOrphan,     // a block that lost was imported, and is on disk
  };
  Kind kind = Kind::kOpened;
  Checkpoint checkpoint;
};

}  // namespace lean::beacon

#endif  // LEAN_TESTS_BEACON_STORAGE_FAULTS_VICTIM_MESSAGE_H_
