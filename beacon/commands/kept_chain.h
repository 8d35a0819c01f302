// The chain that `lean-beacon run` begins with, and what keeps it.
#ifndef LEAN_BEACON_COMMANDS_KEPT_CHAIN_H_
#define LEAN_BEACON_COMMANDS_KEPT_CHAIN_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "beacon/chain/lean_chain.h"
#include "beacon/storage/chain_database.h"
#include "beacon/storage/storage_service.h"
#include "common/config/genesis.h"
#include "spdlog/logger.h"

namespace lean::beacon {

struct KeptChainOptions {
  std::string data_dir;  // empty: memory alone
  std::string network;   // its name
};

struct StartedChain {
  LeanChain chain;
  std::unique_ptr<ChainDatabase> database;  // null without a data folder, as is the next
  std::unique_ptr<StorageService> storage;  // not started
};

// From the data folder, or from genesis when that is new or not given. Errors as of ChainDatabase and RestoreChain.
absl::StatusOr<StartedChain> StartChain(const KeptChainOptions& options, const Genesis& genesis,
                                        const std::shared_ptr<spdlog::logger>& log);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_COMMANDS_KEPT_CHAIN_H_
