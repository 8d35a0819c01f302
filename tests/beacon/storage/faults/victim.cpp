// A process that runs a chain on a data folder as fast as it can, until it is killed: the real writer and storage. A
// slot begins once the one before is on disk, as it is when slots last seconds.
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <random>
#include <string>

#include "tests/beacon/storage/faults/victim_message.h"
#include "tests/beacon/storage/stored_chain.h"

namespace lean::beacon {
namespace {

constexpr size_t kValidators = 4;
constexpr uint64_t kSnapshotSlots = 4;  // often, so that kills meet them

void Tell(VictimMessage::Kind kind, const Checkpoint& checkpoint) {
  const VictimMessage message{.kind = kind, .checkpoint = checkpoint};
  if (write(STDOUT_FILENO, &message, sizeof(message)) != sizeof(message)) _exit(3);
}

int Main(const std::string& folder, uint64_t seed) {
  auto opened = StoredChain::Open(StorageTestGenesis(kValidators), {.folder = folder,
                                                                    .direct_bytes = seed % 2 == 0 ? 1 : kDirectBytes,
                                                                    .direct_files = seed % 4 == 0 ? 16 : kDirectFiles,
                                                                    .storage = {.snapshot_slots = kSnapshotSlots}});
  if (!opened.ok()) {
    std::cerr << opened.status() << std::endl;
    return 1;
  }
  StoredChain& chain = **opened;
  Tell(VictimMessage::Kind::kOpened, chain.chain().finalized());
  std::mt19937_64 random(seed);
  while (true) {
    const Checkpoint head = chain.chain().head();
    const uint64_t slot = chain.chain().current_slot() + 1;
    if (random() % 5 == 0) {
      chain.RunSlot(slot + 1);
      const Root orphan = chain.AddOrphan(slot, head.root);
      chain.storage().Flush();
      Tell(VictimMessage::Kind::kOrphan, {.root = orphan, .slot = slot});
    } else {
      chain.RunSlot(slot);
    }
    Tell(VictimMessage::Kind::kFinalized, chain.chain().finalized());
    chain.storage().Flush();
  }
}

}  // namespace
}  // namespace lean::beacon

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  return lean::beacon::Main(argv[1], std::strtoull(argv[2], nullptr, 10));
}
