#include "beacon/commands/start_chain.h"

#include <chrono>
#include <utility>
#include <vector>

#include "beacon/commands/checkpoint_source.h"
#include "beacon/storage/chain_files.h"
#include "beacon/storage/database/losses.h"
#include "beacon/storage/restore.h"
#include "common/bytes/bytes.h"
#include "common/config/genesis.h"
#include "common/config/genesis_folder.h"
#include "common/status/status_macros.h"

namespace lean::beacon {
namespace {

// Genesis, or the checkpoint.
absl::StatusOr<Anchor> Beginning(const StartOptions& options, const Genesis& genesis,
                                 const crypto::SignatureScheme& scheme, const std::stop_token& stop,
                                 spdlog::logger& log) {
  if (options.checkpoint.empty()) {
    return Anchor{.state = genesis.state, .block = genesis.block, .signed_block = nullptr, .root = genesis.block_root};
  }
  if (!options.checkpoint_root.has_value()) {
    return absl::InvalidArgumentError(
        "--checkpoint needs --checkpoint-root, the root of a finalized block: it is what you trust, so have it from "
        "somebody else than the checkpoint");
  }
  ASSIGN_OR_RETURN(CheckpointParts parts,
                   LoadCheckpoint(options.checkpoint, options.checkpoint_tls, *options.checkpoint_root, stop, log));
  ASSIGN_OR_RETURN(Anchor anchor, CheckAnchor(std::move(parts), genesis, scheme, *options.checkpoint_root));
  log.info("checkpoint slot={} root={} from={}", anchor.block->slot, ToHex(anchor.root.span()), options.checkpoint);
  return anchor;
}

// Logs what recovery has dropped, and what the chain has lost.
absl::Status TellLosses(const ChainDatabase& database, spdlog::logger& log) {
  for (const std::string& loss : database.files().losses()) log.warn("storage_lost message=\"{}\"", loss);
  ASSIGN_OR_RETURN(const std::optional<std::string> lost, LostSinceTip(database));
  if (lost.has_value()) {
    log.warn("chain_shorter message=\"{}; the missing blocks are fetched from peers; check the disk\"", *lost);
  }
  return absl::OkStatus();
}

absl::StatusOr<StartedChain> InMemory(const Anchor& anchor, spdlog::logger& log) {
  ASSIGN_OR_RETURN(LeanChain chain, LeanChain::FromAnchor(anchor.state, anchor.block));
  log.warn(
      "storage kind=memory message=\"the chain is lost when this process ends, and old blocks and states are not "
      "available; use --data to keep them\"");
  return StartedChain{.chain = std::move(chain), .database = nullptr, .storage = nullptr};
}

}  // namespace

absl::StatusOr<StartedChain> StartChain(const StartOptions& options, const Genesis& genesis,
                                        const crypto::SignatureScheme& scheme, Clock& clock, std::stop_token stop,
                                        const std::shared_ptr<spdlog::logger>& log) {
  std::optional<Anchor> anchor;
  // Before a folder is made, so that a checkpoint that cannot be had leaves none.
  if (options.data_dir.empty() || !ChainDatabase::Exists(options.data_dir)) {
    ASSIGN_OR_RETURN(anchor, Beginning(options, genesis, scheme, stop, *log));
    if (options.data_dir.empty()) return InMemory(*anchor, *log);
  }
  bool is_new = false;
  const auto make_anchor = [&]() -> absl::StatusOr<Anchor> {
    is_new = true;
    if (anchor.has_value()) return *std::move(anchor);
    return Beginning(options, genesis, scheme, stop, *log);
  };
  const SteadyTime start = clock.Steady();
  ASSIGN_OR_RETURN(auto database,
                   ChainDatabase::OpenOrCreate({.path = options.data_dir, .network = options.network, .stop = stop},
                                               genesis, make_anchor));
  if (!is_new && !options.checkpoint.empty()) {
    log->info("checkpoint_not_needed message=\"{} already holds a chain; the checkpoint is not used\"",
              options.data_dir);
  }
  RETURN_IF_ERROR(TellLosses(*database, *log));
  ASSIGN_OR_RETURN(RestoredChain restored, RestoreChain(*database, clock, *log));
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(clock.Steady() - start);
  const LeanChain& chain = restored.chain;
  log->info("storage kind=disk folder={} head={} finalized={} snapshot={} replayed={} left_out={} votes={} ms={}",
            options.data_dir, chain.head().slot, chain.finalized().slot, restored.snapshot_slot, restored.replayed,
            restored.left_out, restored.votes, took.count());
  auto storage = std::make_unique<StorageService>(*database, clock, log,
                                                  StorageOptions{.queue_lag = options.slot,
                                                                 .keep_slots = options.keep_slots,
                                                                 .tip = options.slot,
                                                                 .vote_wait = options.slot * 3 / 2});
  return StartedChain{
      .chain = std::move(restored.chain), .database = std::move(database), .storage = std::move(storage)};
}

absl::StatusOr<ChainParameters> ReadChainParameters(const std::string& genesis_dir, spdlog::logger& log) {
  std::vector<std::string> warnings;
  absl::StatusOr<GenesisConfig> config = ReadGenesisConfig(genesis_dir, &warnings);
  absl::StatusOr<NetworkSpec> spec = ReadNetworkSpec(genesis_dir, &warnings);
  for (const std::string& warning : warnings) log.warn("genesis_odd message=\"{}\"", warning);
  RETURN_IF_ERROR(config.status());
  RETURN_IF_ERROR(spec.status());
  ASSIGN_OR_RETURN(crypto::SignatureScheme scheme, crypto::SignatureScheme::Create(*spec));
  RETURN_IF_ERROR(CheckPublicKeys(*config, scheme));
  ASSIGN_OR_RETURN(Genesis genesis, MakeGenesis(*config));
  return ChainParameters{*std::move(spec), std::move(scheme), std::move(genesis)};
}

}  // namespace lean::beacon
