#include "beacon/commands/kept_chain.h"

#include <chrono>
#include <optional>
#include <utility>

#include "beacon/storage/restore.h"

namespace lean::beacon {

absl::StatusOr<StartedChain> StartChain(const KeptChainOptions& options, const Genesis& genesis,
                                        const std::shared_ptr<spdlog::logger>& log) {
  if (options.data_dir.empty()) {
    absl::StatusOr<LeanChain> chain = LeanChain::FromAnchor(genesis.state, genesis.block);
    if (!chain.ok()) return chain.status();
    log->warn("storage kind=memory message=\"the chain is lost when this process ends; give --data to keep it\"");
    return StartedChain{.chain = *std::move(chain), .database = nullptr, .storage = nullptr};
  }
  const auto start = std::chrono::steady_clock::now();
  auto database =
      ChainDatabase::OpenOrCreate({.path = options.data_dir, .network = options.network}, genesis, std::nullopt);
  if (!database.ok()) return database.status();
  absl::StatusOr<RestoredChain> restored = RestoreChain(**database, *log);
  if (!restored.ok()) return restored.status();
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
  const LeanChain& chain = restored->chain;
  log->info("storage kind=disk folder={} head={} finalized={} snapshot={} replayed={} left_out={} votes={} ms={}",
            options.data_dir, chain.head().slot, chain.finalized().slot, chain.anchor().slot, restored->replayed,
            restored->left_out, restored->votes, took.count());
  auto storage = std::make_unique<StorageService>(**database, chain, log, StorageOptions());
  return StartedChain{
      .chain = std::move(restored->chain), .database = *std::move(database), .storage = std::move(storage)};
}

}  // namespace lean::beacon
