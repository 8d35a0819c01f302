// A chain that is kept in a folder, and validators that all take part in it; signatures are zero.
#ifndef LEAN_TESTS_BEACON_STORAGE_STORED_CHAIN_H_
#define LEAN_TESTS_BEACON_STORAGE_STORED_CHAIN_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "beacon/chain/lean_chain.h"
#include "beacon/services/chain_writer.h"
#include "beacon/storage/database/chain_database.h"
#include "beacon/storage/restore.h"
#include "beacon/storage/storage_service.h"
#include "common/clock/clock.h"
#include "common/clock/manual_clock.h"
#include "common/config/genesis.h"

namespace lean::beacon {

Genesis StorageTestGenesis(size_t validators, uint64_t genesis_time = 1'700'000'000);

struct StoredChainOptions {
  std::string folder;
  rocksdb::Env* env = nullptr;
  size_t direct_bytes = kDirectBytes;  // as of ChainFolder
  size_t direct_files = kDirectFiles;  // as of ChainFolder
  StorageOptions storage = {};
  std::optional<Anchor> anchor = std::nullopt;
  bool sign_randomly = false;  // signatures of random bytes instead of zeros
  PruneLimits prune = kInMemoryBesideDisk;
  bool spread_absent = false;  // RunSlot: those who are absent are spread over the registry, not the last ones
};

// The real writer on the real storage, without RPC, network and signatures.
class StoredChain {
 public:
  // Opens or makes the folder, and restores what it holds. Errors as of ChainDatabase and RestoreChain.
  static absl::StatusOr<std::unique_ptr<StoredChain>> Open(const Genesis& genesis, const StoredChainOptions& options);
  ~StoredChain();

  // The next slot after the head's with everybody's duties done: block, votes, acceptance.
  void RunSlot() { RunSlot(chain_.current_slot() + 1); }
  void RunSlot(uint64_t slot) { RunSlot(slot, chain_.validator_count()); }
  // The same with `present` validators alone, the first ones unless spread_absent: a slot of another one has no block.
  void RunSlot(uint64_t slot, uint64_t present);
  void RunSlots(uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) RunSlot();
  }
  // A signature of nobody's.
  SignatureBytes NewSignature();
  // A block at `slot` on `parent` that nobody votes for.
  Root AddOrphan(uint64_t slot, const Root& parent);

  // Everybody's votes for this head, by the clock's slot.
  void VoteFor(const Checkpoint& head, uint64_t slot);

  // With the old states that this takes, from the disk. What waited for one is in the chain when it returns.
  SubmitOutcome Import(const SignedBlockPtr& block);
  // Moves time on, never back.
  void GoTo(uint64_t slot, uint64_t interval);

  const LeanChain& chain() const { return chain_; }
  const SlotClock& slots() const { return slots_; }
  const RestoredChain& restored() const { return restored_; }  // without its chain
  ChainDatabase& database() { return *database_; }
  StorageService& storage() const { return *storage_; }
  // States that had to be computed since it was opened.
  size_t rebuilt() const { return rebuilt_; }

 private:
  StoredChain(const Genesis& genesis, std::unique_ptr<ChainDatabase> database, RestoredChain restored,
              const StoredChainOptions& options);

  const std::unique_ptr<ChainDatabase> database_;
  RestoredChain restored_;
  LeanChain chain_;
  SharedMutex mutex_;
  SeenVotes seen_votes_;
  OutboundChannel outbound_{1};
  std::shared_ptr<spdlog::logger> log_;
  SlotClock slots_;
  ManualClock clock_;
  RealClock disk_clock_;  // of the storage, which waits for a real disk
  std::unique_ptr<StorageService> storage_;
  std::unique_ptr<ChainWriter> writer_;
  bool IsPresent(uint64_t validator, uint64_t present) const;
  void Propose(uint64_t slot);
  void Vote(const AttestationData& data, uint64_t present, std::optional<uint64_t> except);
  // Gives the states that are wanted, from the disk.
  void GiveStates();

  std::vector<Root> wanted_states_;
  size_t rebuilt_ = 0;
  const bool sign_randomly_;
  const bool spread_absent_;
  std::mt19937_64 random_;
};

// Bytes of the files in the folder and below whose names end so, by default of all. Files may be deleted meanwhile.
uint64_t BytesOfFiles(const std::string& folder, absl::string_view ending = "");

}  // namespace lean::beacon

#endif  // LEAN_TESTS_BEACON_STORAGE_STORED_CHAIN_H_
