// A chain that is kept in a folder, and validators that all take part in it; signatures are zero.
#ifndef LEAN_TESTS_BEACON_STORAGE_STORED_CHAIN_H_
#define LEAN_TESTS_BEACON_STORAGE_STORED_CHAIN_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include "beacon/chain/lean_chain.h"
#include "beacon/services/chain_writer.h"
#include "beacon/storage/chain_database.h"
#include "beacon/storage/restore.h"
#include "beacon/storage/storage_service.h"
#include "common/clock/manual_clock.h"
#include "common/config/genesis.h"

namespace lean::beacon {

Genesis StorageTestGenesis(size_t validators, uint64_t genesis_time = 1'700'000'000);

struct StoredChainOptions {
  std::string folder;
  rocksdb::Env* env = nullptr;
  StorageOptions storage = {};
  std::optional<Anchor> anchor = std::nullopt;
  bool sign_randomly = false;  // signatures of random bytes instead of zeros
};

// The real writer on the real storage, without RPC, network and signatures.
class StoredChain {
 public:
  // Opens or makes the folder, and restores what it holds. Errors as of ChainDatabase and RestoreChain.
  static absl::StatusOr<std::unique_ptr<StoredChain>> Open(const Genesis& genesis, const StoredChainOptions& options);
  ~StoredChain();

  // The next slot after the head's with everybody's duties done: block, votes, acceptance.
  void RunSlot() { RunSlot(chain_.current_slot() + 1); }
  void RunSlot(uint64_t slot);
  void RunSlots(uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) RunSlot();
  }
  // A signature of nobody's.
  SignatureBytes NewSignature();
  // A block at `slot` on `parent` that nobody votes for.
  Root AddOrphan(uint64_t slot, const Root& parent);

  SubmitOutcome Import(const SignedBlockPtr& block);
  // Moves time on, never back.
  void GoTo(uint64_t slot, uint64_t interval);

  const LeanChain& chain() const { return chain_; }
  const RestoredChain& restored() const { return restored_; }  // without its chain
  ChainDatabase& database() { return *database_; }
  StorageService& storage() const { return *storage_; }

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
  std::unique_ptr<StorageService> storage_;
  std::unique_ptr<ChainWriter> writer_;
  const bool sign_randomly_;
  std::mt19937_64 random_;
};

}  // namespace lean::beacon

#endif  // LEAN_TESTS_BEACON_STORAGE_STORED_CHAIN_H_
