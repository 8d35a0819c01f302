// What `lean-beacon run` starts from: the parameters of the network, and the chain with its database.
#ifndef LEAN_BEACON_COMMANDS_START_CHAIN_H_
#define LEAN_BEACON_COMMANDS_START_CHAIN_H_

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
#include "common/config/network_spec.h"
#include "common/crypto/signature_scheme.h"
#include "common/log/logger.h"
#include "common/rpc/tls_files.h"

namespace lean::beacon {

// What a genesis folder says about a network, checked as a whole.
struct ChainParameters {
  NetworkSpec spec;
  crypto::SignatureScheme scheme;
  Genesis genesis;
};

// Logs a warning for each oddity. Errors name the file.
absl::StatusOr<ChainParameters> ReadChainParameters(const std::string& genesis_dir, spdlog::logger& log);

struct StartOptions {
  std::string data_dir;                  // empty: the chain is kept in memory
  std::chrono::milliseconds slot{4000};  // the network's
  std::string network;                   // its name
  std::optional<uint64_t> keep_slots;    // blocks further behind finality are dropped; nullopt: none
  std::string checkpoint;                // file or address to begin from; empty: genesis
  rpc::ClientTlsFiles checkpoint_tls;    // for its address
  std::optional<Root> checkpoint_root;   // of its block
};

struct StartedChain {
  LeanChain chain;
  std::unique_ptr<ChainDatabase> database;  // null without a data folder, like `storage`
  std::unique_ptr<StorageService> storage;  // not started
};

// Loads the chain from the data folder. When the folder is new or not given, the chain starts from the checkpoint or
// from genesis. `clock` outlives the storage. CANCELLED: `stop` was requested first. Other errors as of ChainDatabase,
// RestoreChain, LoadCheckpoint and CheckAnchor.
absl::StatusOr<StartedChain> StartChain(const StartOptions& options, const Genesis& genesis,
                                        const crypto::SignatureScheme& scheme, Clock& clock, std::stop_token stop,
                                        const std::shared_ptr<spdlog::logger>& log);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_COMMANDS_START_CHAIN_H_
