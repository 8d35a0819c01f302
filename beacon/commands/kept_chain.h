// The chain that `lean-beacon run` begins with, and what keeps it.
#ifndef LEAN_BEACON_COMMANDS_KEPT_CHAIN_H_
#define LEAN_BEACON_COMMANDS_KEPT_CHAIN_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "absl/status/statusor.h"
#include "beacon/chain/lean_chain.h"
#include "beacon/storage/database/chain_database.h"
#include "beacon/storage/storage_service.h"
#include "common/bytes/bytes.h"
#include "common/clock/clock.h"
#include "common/config/genesis.h"
#include "common/crypto/signature_scheme.h"
#include "common/log/logger.h"

namespace lean::beacon {

struct KeptChainOptions {
  std::string data_dir;                  // empty: memory alone
  std::chrono::milliseconds slot{4000};  // the network's
  std::string network;                   // its name
  std::optional<uint64_t> keep_slots;    // blocks further behind finality are dropped; nullopt: none
  std::string checkpoint;                // file or address to begin from; empty: genesis
  std::optional<Root> checkpoint_root;   // of its block
};

struct StartedChain {
  LeanChain chain;
  std::unique_ptr<ChainDatabase> database;  // null without a data folder, as is the next
  std::unique_ptr<StorageService> storage;  // not started
};

// `clock` outlives the storage. From the data folder; when that is new or not given, from the checkpoint or from
// genesis. CANCELLED: `stop` was requested before it was there. Other errors as of ChainDatabase, RestoreChain,
// LoadCheckpoint and CheckAnchor.
absl::StatusOr<StartedChain> StartChain(const KeptChainOptions& options, const Genesis& genesis,
                                        const crypto::SignatureScheme& scheme, Clock& clock, std::stop_token stop,
                                        const std::shared_ptr<spdlog::logger>& log);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_COMMANDS_KEPT_CHAIN_H_
