#include "beacon/commands/commands.h"

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <memory>
#include <mutex>
#include <stop_token>
#include <system_error>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "beacon/storage/chain_files.h"
#include "beacon/storage/database/chain_database.h"
#include "beacon/storage/database/schema.h"
#include "beacon/storage/verify.h"
#include "common/bytes/bytes.h"
#include "common/clock/clock.h"
#include "common/concurrency/mutex.h"
#include "common/config/genesis.h"
#include "common/config/genesis_creation.h"
#include "common/log/log_text.h"
#include "common/process/stop_signals.h"
#include "common/status/status_macros.h"

namespace lean::beacon {
namespace {

constexpr uint64_t kPruneFreeBytes = uint64_t{8} << 20;

constexpr Column kAllColumns[] = {Column::kMeta,      Column::kSlots,  Column::kBlocks,
                                  Column::kCanonical, Column::kStates, Column::kVotes};

absl::StatusOr<std::unique_ptr<ChainDatabase>> OpenToRead(const std::string& data_dir, std::stop_token stop) {
  return ChainDatabase::Open({.path = data_dir, .stop = std::move(stop)}, /*read_only=*/true);
}

// Opens the database for an export to a file that must not exist.
absl::StatusOr<std::unique_ptr<ChainDatabase>> OpenToExport(const std::string& data_dir, const std::string& output,
                                                            std::stop_token stop) {
  std::error_code ignored;
  if (std::filesystem::exists(output, ignored)) return absl::AlreadyExistsError(absl::StrCat(output, " exists"));
  return OpenToRead(data_dir, std::move(stop));
}

void Print(absl::string_view name, absl::string_view value) {
  std::cout << absl::StrFormat("%-16s", name) << value << "\n";
}

std::string Text(const Checkpoint& id) { return absl::StrCat("slot ", id.slot, "  ", ToHex(id.root.span())); }

std::string Mebibytes(uint64_t bytes) { return absl::StrFormat("%.1f MiB", static_cast<double>(bytes) / (1 << 20)); }

absl::StatusOr<uint64_t> Count(const ChainDatabase& database, Column column) {
  uint64_t count = 0;
  RETURN_IF_ERROR(database.files().Scan(column, "", [&](absl::string_view, absl::string_view) {
    ++count;
    return true;
  }));
  return count;
}

// Bytes of all files in the folder.
uint64_t FolderBytes(const std::string& path) {
  uint64_t bytes = 0;
  std::error_code error;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path, error)) {
    std::error_code ignored;
    const uintmax_t size = entry.is_regular_file(ignored) ? entry.file_size(ignored) : 0;
    if (size != static_cast<uintmax_t>(-1)) bytes += size;
  }
  return bytes;
}

absl::Status PrintCheckpoints(const ChainDatabase& database) {
  for (const char* key : {meta_key::kAnchor, meta_key::kHead, meta_key::kJustified, meta_key::kFinalized}) {
    ASSIGN_OR_RETURN(const auto checkpoint, database.ReadCheckpoint(key));
    Print(key, checkpoint.has_value() ? Text(*checkpoint) : "unknown");
  }
  return absl::OkStatus();
}

ValidatorKeysFile KeysFile(const std::string& text, size_t place) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos) return {.node = absl::StrCat("node-", place), .path = text};
  return {.node = text.substr(0, equals), .path = text.substr(equals + 1)};
}

void WaitFor(const std::stop_token& stop) {
  Mutex mutex;
  CondVar never;
  MutexLock lock(mutex);
  never.Wait(mutex, stop, [] { return false; });
}

}  // namespace

absl::Status InspectFolder(const std::string& data_dir, std::stop_token stop) {
  ASSIGN_OR_RETURN(const auto opened, OpenToRead(data_dir, std::move(stop)));
  const ChainDatabase& database = *opened;
  Print("data folder", data_dir);
  Print("schema", absl::StrCat(kSchemaVersion));
  Print("network", database.network());
  Print("genesis", ToHex(database.genesis().block_root.span()));
  Print("genesis time", absl::StrCat(database.genesis().state->config.genesis_time));
  Print("validators", absl::StrCat(database.genesis().state->validators.size()));
  RETURN_IF_ERROR(PrintCheckpoints(database));
  ASSIGN_OR_RETURN(const auto known, Count(database, Column::kSlots));
  Print("blocks known", absl::StrCat(known));
  ASSIGN_OR_RETURN(const auto oldest, database.OldestSlot());
  Print("blocks held", absl::StrCat("from slot ", oldest, " on"));
  ASSIGN_OR_RETURN(const auto snapshots, database.Snapshots());
  Print("snapshots",
        snapshots.empty() ? "none" : absl::StrCat(snapshots.size(), ", newest of slot ", snapshots.back().slot));
  for (const Column column : kAllColumns) {
    Print(absl::StrCat("  ", ColumnName(column)), Mebibytes(database.files().DiskBytes(column)));
  }
  Print("on disk", Mebibytes(FolderBytes(data_dir)));
  std::cout << std::flush;
  return absl::OkStatus();
}

absl::Status VerifyFolder(const std::string& data_dir, std::stop_token stop, spdlog::logger& log) {
  ASSIGN_OR_RETURN(const auto opened, OpenToRead(data_dir, std::move(stop)));
  const VerifyReport report = VerifyDatabase(*opened, log, [&](uint64_t slot) { log.info("verifying slot={}", slot); });
  RETURN_IF_ERROR(opened->files().CheckStop());
  for (const std::string& problem : report.problems) std::cout << "wrong: " << problem << "\n";
  if (report.more_problems > 0) std::cout << "wrong: and " << report.more_problems << " more\n";
  std::cout << report.blocks << " blocks read, " << report.replayed << " replayed, " << report.snapshots
            << " snapshots compared\n";
  if (report.problems.empty() && report.restart.ok()) {
    std::cout << "everything fits" << std::endl;
    return absl::OkStatus();
  }
  if (report.restart.ok()) {
    std::cout
        << "a beacon starts on this folder and follows its chain, but cannot serve what is wrong; to have it again, "
           "start in an empty folder with `run --checkpoint`, which fetches older blocks from peers"
        << std::endl;
    return absl::DataLossError(absl::StrCat(data_dir, ": ", report.problems.size() + report.more_problems,
                                            " problems; a beacon can start from the folder nevertheless"));
  }
  std::cout << "a beacon cannot start from this folder: " << report.restart.message()
            << "\nmove it away and start in an empty folder, with `run --checkpoint` or from genesis; check the disk"
            << std::endl;
  return absl::DataLossError(absl::StrCat(data_dir, ": a beacon cannot start from it"));
}

absl::Status PruneFolder(const std::string& data_dir, const PruneRequest& request, std::stop_token stop) {
  // Pruning has to work on a full disk.
  ASSIGN_OR_RETURN(const auto opened,
                   ChainDatabase::Open({.path = data_dir, .min_free_bytes = kPruneFreeBytes, .stop = std::move(stop)},
                                       /*read_only=*/false));
  const uint64_t before = FolderBytes(data_dir);
  ASSIGN_OR_RETURN(const PruneResult pruned, PruneDatabase(*opened, request));
  std::cout << "dropped " << pruned.orphans << " orphans, " << pruned.old_blocks << " old blocks, " << pruned.snapshots
            << " snapshots; " << Mebibytes(before) << " before, " << Mebibytes(FolderBytes(data_dir)) << " now"
            << std::endl;
  return absl::OkStatus();
}

absl::Status ExportCheckpoint(const std::string& data_dir, const std::string& output, std::stop_token stop) {
  ASSIGN_OR_RETURN(const auto opened, OpenToExport(data_dir, output, std::move(stop)));
  const ChainDatabase& database = *opened;
  ASSIGN_OR_RETURN(const auto finalized, database.ReadCheckpoint(meta_key::kFinalized));
  if (!finalized.has_value() || finalized->slot == 0) {
    return absl::FailedPreconditionError("only genesis is finalized, from which a beacon starts without a checkpoint");
  }
  ASSIGN_OR_RETURN(const SignedBlockPtr block, database.BlockAt(*finalized));
  ASSIGN_OR_RETURN(const StatePtr state, database.StateOf(*finalized));
  if (block == nullptr || state == nullptr) {
    return absl::DataLossError(absl::StrCat("the finalized block of slot ", finalized->slot, " is not held"));
  }
  RETURN_IF_ERROR(WriteCheckpointFile(output, *block, *state));
  std::cout << "wrote " << output << ": " << Text(*finalized) << "\nstart from it with --checkpoint " << output
            << " --checkpoint-root " << ToHex(finalized->root.span()) << std::endl;
  return absl::OkStatus();
}

absl::Status ExportBlocks(const std::string& data_dir, const std::string& slots, const std::string& output,
                          std::stop_token stop) {
  ASSIGN_OR_RETURN(const SlotRange range, ParseSlotRange(slots),
                   absl::InvalidArgumentError(absl::StrCat("--blocks: ", _.message())));
  ASSIGN_OR_RETURN(const auto opened, OpenToExport(data_dir, output, std::move(stop)));
  ASSIGN_OR_RETURN(const uint64_t blocks, WriteBlockFile(output, *opened, range));
  std::cout << "wrote " << output << ": " << blocks << " blocks of slots " << slots << std::endl;
  return absl::OkStatus();
}

absl::Status MakeGenesisFolder(const GenesisOptions& options) {
  if (options.genesis_time.has_value() == options.delay_s.has_value()) {
    return absl::InvalidArgumentError("use either --genesis-time or --genesis-delay");
  }
  // Checked before it is added to the time, which could overflow.
  if (options.delay_s.value_or(0) > kMaxGenesisTime) {
    return absl::InvalidArgumentError("--genesis-delay: the genesis is beyond the year 9999");
  }
  const int64_t now_ms = RealClock().WallMs();
  GenesisRequest request;
  request.output_dir = options.output_dir;
  // A delay counts from the next full second, so that it is never shorter than asked.
  request.genesis_time = options.genesis_time.has_value() ? *options.genesis_time
                                                          : static_cast<uint64_t>(now_ms / 1000 + 1) + *options.delay_s;
  request.active_epoch = options.active_epoch;
  request.network = options.network;
  for (const std::string& text : options.pubkeys_from) {
    request.key_files.push_back(KeysFile(text, request.key_files.size()));
    if (request.key_files.back().path.empty()) {
      return absl::InvalidArgumentError(absl::StrCat("--pubkeys-from ", text, ": the file is missing: [NODE=]FILE"));
    }
  }
  ASSIGN_OR_RETURN(const GenesisConfig config, CreateGenesisFolder(request, now_ms));
  ASSIGN_OR_RETURN(const Genesis genesis, MakeGenesis(config));
  std::cout << "genesis folder  " << options.output_dir << "\nnetwork         " << options.network.name
            << "\nvalidators      " << config.validators.size() << "\ngenesis time    " << config.genesis_time
            << " (Unix seconds)\ngenesis root    " << ToHex(genesis.block_root.span()) << std::endl;
  return absl::OkStatus();
}

absl::Status Run(const BeaconOptions& options, StopSignals& signals, const std::shared_ptr<spdlog::logger>& log) {
  bool stopped = false;
  const absl::Status status = RunStoppable(
      signals,
      [&](const std::stop_token& stop) -> absl::Status {
        RealClock clock;
        ASSIGN_OR_RETURN(std::unique_ptr<Beacon> beacon, Beacon::Start(options, clock, stop, log));
        WaitFor(stop);
        beacon.reset();
        return absl::OkStatus();
      },
      [&](const char* signal) {
        stopped = true;
        log->info("beacon_stopping signal={}", signal);
      });
  if (!stopped) return status;
  if (status.ok()) {
    log->info("beacon_stopped name={}", options.name);
  } else {
    log->info("beacon_stopped name={} before_its_start=\"{}\"", options.name, StatusText(status));
  }
  return absl::OkStatus();
}

}  // namespace lean::beacon
