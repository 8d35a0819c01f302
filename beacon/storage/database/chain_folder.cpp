// Opens and creates the folder of a ChainDatabase, and checks that it is the right one.
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "beacon/storage/database/chain_database.h"
#include "beacon/storage/database/schema.h"
#include "common/bytes/bytes.h"
#include "common/ssz/ssz.h"
#include "common/status/status_macros.h"

namespace lean::beacon {
namespace {

constexpr char kLockFile[] = ".lean-beacon.lock";
constexpr char kFilesFolder[] = "chain";
constexpr mode_t kOwnerOnly = 0700;

std::string FilesIn(const std::string& folder) { return absl::StrCat(folder, "/", kFilesFolder); }

absl::Status MakeFolder(const std::string& path) {
  if (mkdir(path.c_str(), kOwnerOnly) == 0) return absl::OkStatus();
  if (errno == EEXIST && std::filesystem::is_directory(path)) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot make the data folder ", path));
}

// Rebuilds genesis from its state.
absl::StatusOr<Genesis> GenesisOf(absl::string_view ssz_state) {
  ASSIGN_OR_RETURN(const State state, ssz::Deserialize<State>(BytesOfText(ssz_state)));
  GenesisConfig config;
  config.genesis_time = state.config.genesis_time;
  for (const Validator& validator : state.validators) config.validators.push_back(validator.pubkey);
  absl::StatusOr<Genesis> genesis = MakeGenesis(config);
  if (genesis.ok() && genesis->state_root != ssz::HashTreeRoot(state)) {
    return absl::InvalidArgumentError("its genesis state is not one that a genesis folder leads to");
  }
  return genesis;
}

}  // namespace

bool ChainDatabase::Exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(absl::StrCat(FilesIn(path), "/CURRENT"), ignored);
}

absl::StatusOr<std::unique_ptr<ChainDatabase>> ChainDatabase::OpenFiles(const ChainFolder& folder, bool create,
                                                                        bool read_only) {
  if (create) {
    RETURN_IF_ERROR(MakeFolder(folder.path));
  }
  ASSIGN_OR_RETURN(ProcessLock lock, ProcessLock::Acquire(absl::StrCat(folder.path, "/", kLockFile),
                                                          absl::StrCat("the data folder ", folder.path),
                                                          "it holds the chain of one beacon"));
  ASSIGN_OR_RETURN(std::unique_ptr<Database> files, Database::Open({.path = FilesIn(folder.path),
                                                                    .create = create,
                                                                    .read_only = read_only,
                                                                    .env = folder.env,
                                                                    .min_free_bytes = folder.min_free_bytes,
                                                                    .direct_bytes = folder.direct_bytes,
                                                                    .direct_files = folder.direct_files,
                                                                    .stop = folder.stop}));
  return std::unique_ptr<ChainDatabase>(new ChainDatabase(folder.path, std::move(lock), std::move(files)));
}

absl::StatusOr<std::unique_ptr<ChainDatabase>> ChainDatabase::Open(const ChainFolder& folder, bool read_only) {
  if (folder.env == nullptr && !Exists(folder.path)) {
    return absl::NotFoundError(absl::StrCat("there is no chain in ", folder.path));
  }
  ASSIGN_OR_RETURN(std::unique_ptr<ChainDatabase> database, OpenFiles(folder, /*create=*/false, read_only));
  ASSIGN_OR_RETURN(const bool known, database->ReadIdentity());
  if (!known) return absl::NotFoundError(absl::StrCat("there is no chain in ", folder.path));
  return database;
}

absl::StatusOr<std::unique_ptr<ChainDatabase>> ChainDatabase::OpenOrCreate(const ChainFolder& folder,
                                                                           const Genesis& genesis,
                                                                           const MakeAnchor& make_anchor) {
  ASSIGN_OR_RETURN(std::unique_ptr<ChainDatabase> opened, OpenFiles(folder, /*create=*/true, /*read_only=*/false));
  ChainDatabase& database = *opened;
  ASSIGN_OR_RETURN(const bool known, database.ReadIdentity());
  if (!known) {
    Anchor anchor{.state = genesis.state, .block = genesis.block, .signed_block = nullptr, .root = genesis.block_root};
    if (make_anchor != nullptr) {
      ASSIGN_OR_RETURN(anchor, make_anchor());
    }
    RETURN_IF_ERROR(database.WriteIdentity(folder.network, genesis, anchor));
  } else if (database.genesis_.block_root != genesis.block_root) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the data folder ", folder.path, " holds the chain of network ", database.network_, " with genesis ",
        ToHex(database.genesis_.block_root.span()), ", but this is ", folder.network, " with genesis ",
        ToHex(genesis.block_root.span()), ": give another --data folder, or the genesis folder it was made with"));
  }
  return opened;
}

absl::StatusOr<bool> ChainDatabase::ReadIdentity() {
  ASSIGN_OR_RETURN(const auto schema, files_->Get(Column::kMeta, meta_key::kSchema));
  if (!schema.has_value()) return false;
  const std::optional<uint64_t> version = ParseNumberValue(*schema);
  if (!version.has_value()) return Damaged("its schema version is not a number");
  if (*version != kSchemaVersion) {
    return absl::FailedPreconditionError(absl::StrCat("the chain in ", files_->path(), " has schema version ", *version,
                                                      ", this program knows version ", kSchemaVersion,
                                                      ": use the program that made it, or another --data folder"));
  }
  ASSIGN_OR_RETURN(const auto network, files_->Get(Column::kMeta, meta_key::kNetwork));
  network_ = network.value_or("");
  ASSIGN_OR_RETURN(const auto state, files_->Get(Column::kMeta, meta_key::kGenesis));
  ASSIGN_OR_RETURN(Genesis genesis, GenesisOf(state.value_or("")), Damaged(absl::StrCat("its genesis: ", _.message())));
  genesis_ = std::move(genesis);
  ASSIGN_OR_RETURN(const std::optional<Checkpoint> anchor, ReadCheckpoint(meta_key::kAnchor));
  if (!anchor.has_value()) return Damaged("it does not say where it begins");
  anchor_ = *anchor;
  return true;
}

absl::Status ChainDatabase::WriteIdentity(const std::string& network, const Genesis& genesis, const Anchor& anchor) {
  const Checkpoint id{.root = anchor.root, .slot = anchor.block->slot};
  WriteSet writes;
  writes.Put(Column::kMeta, meta_key::kSchema, NumberValue(kSchemaVersion));
  writes.Put(Column::kMeta, meta_key::kGenesis, ssz::SerializeToString(*genesis.state));
  writes.Put(Column::kMeta, meta_key::kNetwork, network);
  for (const char* key : {meta_key::kAnchor, meta_key::kHead, meta_key::kJustified, meta_key::kFinalized}) {
    PutCheckpoint(writes, key, id);
  }
  // Genesis has no body; the first body is that of a block above it.
  PutOldestSlot(writes, std::max<uint64_t>(id.slot, 1));
  PutSlot(writes, id);
  PutSlot(writes, {.root = genesis.block_root, .slot = 0});
  PutCanonical(writes, id);
  const std::vector<Root> history = anchor.state->historical_block_hashes.ToVector();
  for (uint64_t slot = 0; slot < history.size(); ++slot) {
    if (!history[slot].IsZero()) PutCanonical(writes, {.root = history[slot], .slot = slot});
  }
  if (anchor.signed_block != nullptr) {
    PutBlock(writes, anchor.root, anchor.signed_block);
    PutSnapshot(writes, id, *anchor.state);
  }
  RETURN_IF_ERROR(files_->Write(writes));
  network_ = network;
  genesis_ = genesis;
  anchor_ = id;
  return absl::OkStatus();
}

absl::Status ChainDatabase::Damaged(absl::string_view what) const {
  return absl::DataLossError(
      absl::StrCat("the chain in ", files_->path(), " is damaged: ", what, "; run `lean-beacon db verify`"));
}

}  // namespace lean::beacon
