#include "beacon/storage/database/database.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "beacon/storage/database/losses.h"
#include "beacon/storage/database/rocksdb_options.h"
#include "common/status/status_macros.h"
#include "rocksdb/db.h"
#include "rocksdb/env.h"
#include "rocksdb/options.h"
#include "rocksdb/write_batch.h"

namespace lean::beacon {
namespace {

constexpr size_t kLogs = 32;  // the most logs that are kept because of direct writes
// Of a batch of writes, besides keys and values: its header; the type, column and lengths of an entry, at most.
constexpr size_t kBatchBytes = 16;
constexpr size_t kEntryBytes = 16;

// Compact rewrites files of blocks with more than this share of garbage.
constexpr double kGarbageShare = 0.1;

// The file of RocksDB that names the others.
constexpr char kCurrentFile[] = "CURRENT";

// What to do when a database is damaged.
constexpr absl::string_view kWhenOpen = "`lean-beacon db verify` reports what is left";
constexpr absl::string_view kWhenClosed =
    "check the disk, move the data folder away and start in an empty one, with `run --checkpoint` or from genesis";

// A file that is written to check whether the disk takes writes.
constexpr char kProbeFile[] = "probe";
constexpr size_t kProbeBytes = size_t{1} << 16;

constexpr std::array<absl::string_view, kColumns> kColumnNames = {"default",   "slots",  "blocks",
                                                                  "canonical", "states", "votes"};

rocksdb::Slice ToSlice(absl::string_view text) { return {text.data(), text.size()}; }
absl::string_view TextOf(ByteSpan bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
absl::string_view ToView(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

}  // namespace

absl::string_view ColumnName(Column column) {
  return column == Column::kMeta ? "meta" : kColumnNames[static_cast<size_t>(column)];
}

absl::StatusOr<std::unique_ptr<Database>> Database::Open(DatabaseOptions options) {
  std::unique_ptr<Database> database(new Database(std::move(options)));
  {
    WriterLock lock(database->mutex_);
    RETURN_IF_ERROR(database->OpenFiles(database->options_.create));
  }
  return database;
}

Database::Database(DatabaseOptions options) : options_(std::move(options)) {}

Database::~Database() { CloseFiles(); }

absl::Status Database::OpenFiles(bool create) {
  std::vector<rocksdb::ColumnFamilyDescriptor> columns;
  const std::vector<rocksdb::ColumnFamilyOptions> column_options = MakeColumnOptions();
  for (size_t i = 0; i < kColumns; ++i) columns.emplace_back(std::string(kColumnNames[i]), column_options[i]);
  if (!options_.read_only) {
    RETURN_IF_ERROR(CheckSpace());
  }
  rocksdb::DBOptions options = MakeDatabaseOptions(create);
  if (options_.env != nullptr) options.env = options_.env;
  const auto log = std::make_shared<RecoveryLog>();
  options.info_log = log;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status = options_.read_only
                                     ? rocksdb::DB::OpenForReadOnly(options, options_.path, columns, &handles, &db)
                                     : rocksdb::DB::Open(options, options_.path, columns, &handles, &db);
  std::vector<std::string> losses = log->TakeLosses();
  if (!status.ok()) {
    absl::Status failed = ToStatus(status, "cannot open the database");
    if (losses.empty()) return failed;
    return absl::Status(failed.code(), absl::StrCat(failed.message(), "; ", absl::StrJoin(losses, "; ")));
  }
  if (!folder_.has_value()) {
    folder_ = IdOf(options_.path);
    losses_ = std::move(losses);
  }
  db_.reset(db);
  std::copy(handles.begin(), handles.end(), handles_.begin());
  failed_ = false;
  buffers_ = options.write_buffer_manager;
  collects_blocks_ = false;
  return absl::OkStatus();
}

absl::Status Database::CheckSpace() const {
  std::error_code error;
  // The folder may not exist yet.
  const std::filesystem::path folder = std::filesystem::exists(path(), error)
                                           ? std::filesystem::path(path())
                                           : std::filesystem::absolute(path(), error).parent_path();
  const std::filesystem::space_info space = std::filesystem::space(folder, error);
  if (error || space.available >= options_.min_free_bytes) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat("the disk of ", path(), " is full: ", space.available >> 20,
                                                   " MiB are left, and ", options_.min_free_bytes >> 20,
                                                   " MiB are needed"));
}

std::optional<Database::FolderId> Database::IdOf(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return std::nullopt;
  return FolderId{.device = info.st_dev, .inode = info.st_ino};
}

absl::Status Database::CheckFolder() const {
  const std::optional<FolderId> now = IdOf(path());
  std::error_code ignored;
  if (!now.has_value()) {
    return absl::UnavailableError(absl::StrCat("the folder ", path(), " is gone: it was removed or moved away"));
  }
  if (now != folder_) {
    return absl::UnavailableError(absl::StrCat("the folder ", path(), " is not the one that this process opened: ",
                                               "it was removed or moved, and replaced by another one"));
  }
  if (!std::filesystem::exists(absl::StrCat(path(), "/", kCurrentFile), ignored)) {
    return absl::UnavailableError(absl::StrCat("the files of the database in ", path(), " are gone"));
  }
  return absl::OkStatus();
}

absl::Status Database::ToStatus(const rocksdb::Status& status, absl::string_view what) const {
  if (status.ok()) return absl::OkStatus();
  const std::string words = PlainWords(status.ToString());
  if (status.IsCorruption()) {
    return absl::DataLossError(
        absl::StrCat(what, " ", path(), ", it is damaged: ", words, "; ", db_ == nullptr ? kWhenClosed : kWhenOpen));
  }
  const std::string message = absl::StrCat(what, " ", path(), ": ", words);
  if (status.IsNoSpace()) return absl::ResourceExhaustedError(message);
  if (status.IsNotFound()) return absl::NotFoundError(message);
  return absl::UnavailableError(message);
}

absl::Status Database::Probe() const {
  rocksdb::Env& env = *(options_.env == nullptr ? rocksdb::Env::Default() : options_.env);
  const std::string file = absl::StrCat(path(), "/", kProbeFile);
  rocksdb::Status status = rocksdb::WriteStringToFile(&env, std::string(kProbeBytes, '\0'), file, /*should_sync=*/true);
  env.DeleteFile(file).PermitUncheckedError();
  ReaderLock lock(mutex_);
  return ToStatus(status, "cannot write to");
}

void Database::CloseFiles() {
  if (db_ == nullptr) return;
  for (rocksdb::ColumnFamilyHandle*& handle : handles_) {
    db_->DestroyColumnFamilyHandle(std::exchange(handle, nullptr)).PermitUncheckedError();
  }
  db_->Close().PermitUncheckedError();
  db_.reset();
}

absl::StatusOr<std::optional<std::string>> Database::Get(Column column, absl::string_view key) const {
  ReaderLock lock(mutex_);
  if (db_ == nullptr) return absl::UnavailableError(absl::StrCat("the database ", path(), " is closed"));
  std::string value;
  const rocksdb::Status status = db_->Get(rocksdb::ReadOptions(), Handle(column), ToSlice(key), &value);
  if (status.IsNotFound()) return std::nullopt;
  if (!status.ok()) return ToStatus(status, "cannot read the database");
  return value;
}

absl::Status Database::Scan(Column column, absl::string_view first, const Visit& visit) const {
  return Walk(column, first, /*backwards=*/false, visit);
}

absl::Status Database::ScanBackwards(Column column, absl::string_view last, const Visit& visit) const {
  return Walk(column, last, /*backwards=*/true, visit);
}

absl::Status Database::Walk(Column column, absl::string_view from, bool backwards, const Visit& visit) const {
  ReaderLock lock(mutex_);
  if (db_ == nullptr) return absl::UnavailableError(absl::StrCat("the database ", path(), " is closed"));
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator(options, Handle(column)));
  if (backwards) {
    at->SeekForPrev(ToSlice(from));
  } else {
    at->Seek(ToSlice(from));
  }
  while (at->Valid() && visit(ToView(at->key()), ToView(at->value()))) {
    RETURN_IF_ERROR(CheckStop());
    if (backwards) {
      at->Prev();
    } else {
      at->Next();
    }
  }
  return ToStatus(at->status(), "cannot read the database");
}

absl::Status Database::Write(const WriteSet& writes) {
  ReaderLock lock(mutex_);
  if (db_ == nullptr) return absl::UnavailableError(absl::StrCat("the database ", path(), " is closed"));
  if (failed_) return absl::UnavailableError(absl::StrCat("the database ", path(), " failed to write"));
  RETURN_IF_ERROR(CheckSpace());
  RETURN_IF_ERROR(CheckFolder());
  if (writes.empty()) return absl::OkStatus();
  const bool large = writes.block_bytes() >= options_.direct_bytes;
  const bool direct =
      large && Property(Column::kBlocks, rocksdb::DB::Properties::kNumBlobFiles) < options_.direct_files;
  if (large && !direct) RETURN_IF_ERROR(CollectBlocks());
  if (!direct)
    return WriteSome(
        writes, [](Column) { return true; }, /*logged=*/true);
  RETURN_IF_ERROR(WriteDirectly(writes));
  return WriteSome(
      writes, [](Column column) { return column != Column::kBlocks; }, /*logged=*/true);
}

absl::Status Database::WriteDirectly(const WriteSet& writes) {
  RETURN_IF_ERROR(WriteSome(
      writes, [](Column column) { return column == Column::kBlocks; }, /*logged=*/false));
  rocksdb::Status status = db_->Flush(rocksdb::FlushOptions(), Handle(Column::kBlocks));
  // Each of these begins a new log, which stays until what it has of the other columns is in tables.
  if (status.ok() && ++direct_writes_ >= kLogs) {
    direct_writes_ = 0;
    rocksdb::FlushOptions in_background;
    in_background.wait = false;
    status = db_->Flush(in_background, {handles_.begin(), handles_.end()});
  }
  if (!status.ok()) failed_ = true;
  return ToStatus(status, "cannot write the database");
}

absl::Status Database::CollectBlocks() {
  if (collects_blocks_) return absl::OkStatus();
  rocksdb::Status status = db_->SetOptions(Handle(Column::kBlocks), LargeBlockBuffer());
  if (status.ok()) status = db_->SetDBOptions(LargeLog());
  if (!status.ok()) {
    failed_ = true;
    return ToStatus(status, "cannot write the database");
  }
  buffers_->SetBufferSize(kLargeMemtableBytes);
  collects_blocks_ = true;
  return absl::OkStatus();
}

absl::Status Database::WriteSome(const WriteSet& writes, const std::function<bool(Column)>& takes, bool logged) {
  size_t bytes = kBatchBytes;
  for (const WriteSet::Entry& entry : writes.entries_) {
    if (!takes(entry.column)) continue;
    bytes += kEntryBytes + entry.key.size() + (entry.value.has_value() ? entry.value->size() : 0) + entry.tail.size();
  }
  // With room for all, or a block, which fills the batch almost alone, would be copied once more.
  rocksdb::WriteBatch batch(bytes);
  for (const WriteSet::Entry& entry : writes.entries_) {
    if (!takes(entry.column)) continue;
    rocksdb::ColumnFamilyHandle* const column = Handle(entry.column);
    rocksdb::Status added;
    if (entry.value.has_value()) {
      const rocksdb::Slice key = ToSlice(entry.key);
      const std::array<rocksdb::Slice, 2> value = {ToSlice(*entry.value), ToSlice(TextOf(entry.tail))};
      added = batch.Put(column, rocksdb::SliceParts(&key, 1), rocksdb::SliceParts(value.data(), value.size()));
    } else if (entry.all_below) {
      added = batch.DeleteRange(column, rocksdb::Slice(), ToSlice(entry.key));
    } else {
      added = batch.Delete(column, ToSlice(entry.key));
    }
    if (!added.ok()) return ToStatus(added, "cannot write the database");
  }
  rocksdb::WriteOptions options;
  options.sync = logged;
  options.disableWAL = !logged;
  const rocksdb::Status status = db_->Write(options, &batch);
  if (!status.ok()) failed_ = true;
  return ToStatus(status, "cannot write the database");
}

absl::Status Database::Recover() {
  RETURN_IF_ERROR(CheckSpace());
  RETURN_IF_ERROR(CheckFolder());
  RETURN_IF_ERROR(Probe());
  WriterLock lock(mutex_);
  if (db_ != nullptr && !failed_) return absl::OkStatus();
  CloseFiles();
  return OpenFiles(/*create=*/false);
}

absl::Status Database::Compact() {
  ReaderLock lock(mutex_);
  if (db_ == nullptr) return absl::UnavailableError(absl::StrCat("the database ", path(), " is closed"));
  for (size_t i = 0; i < kColumns; ++i) {
    RETURN_IF_ERROR(CompactRange(rocksdb::CompactRangeOptions(), static_cast<Column>(i), nullptr));
  }
  return CollectGarbage();
}

absl::Status Database::CollectGarbage() {
  const uint64_t held = Property(Column::kBlocks, rocksdb::DB::Properties::kLiveBlobFileSize);
  const uint64_t garbage = Property(Column::kBlocks, rocksdb::DB::Properties::kLiveBlobFileGarbageSize);
  if (static_cast<double>(garbage) <= kGarbageShare * static_cast<double>(held)) return absl::OkStatus();
  std::error_code error;
  const std::filesystem::space_info space = std::filesystem::space(path(), error);
  if (error || space.available < held - garbage + options_.min_free_bytes) return absl::OkStatus();
  rocksdb::CompactRangeOptions options;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
  options.blob_garbage_collection_policy = rocksdb::BlobGarbageCollectionPolicy::kForce;
  options.blob_garbage_collection_age_cutoff = 1;
  return CompactRange(options, Column::kBlocks, nullptr);
}

absl::Status Database::CompactBelow(Column column, absl::string_view key) {
  ReaderLock lock(mutex_);
  if (db_ == nullptr) return absl::UnavailableError(absl::StrCat("the database ", path(), " is closed"));
  const rocksdb::Slice end = ToSlice(key);
  return CompactRange(rocksdb::CompactRangeOptions(), column, &end);
}

absl::Status Database::CompactRange(rocksdb::CompactRangeOptions options, Column column, const rocksdb::Slice* end) {
  std::atomic<bool> cancelled = false;
  options.canceled = &cancelled;
  const std::stop_callback cancel(options_.stop, [&cancelled] { cancelled = true; });
  const rocksdb::Status status = db_->CompactRange(options, Handle(column), nullptr, end);
  RETURN_IF_ERROR(CheckStop());
  return ToStatus(status, "cannot compact the database");
}

absl::Status Database::CheckStop() const {
  if (!options_.stop.stop_requested()) return absl::OkStatus();
  return absl::CancelledError(absl::StrCat("stopped while reading ", path()));
}

absl::Status Database::VerifyTables() const {
  ReaderLock lock(mutex_);
  if (db_ == nullptr) return absl::UnavailableError(absl::StrCat("the database ", path(), " is closed"));
  return ToStatus(db_->VerifyChecksum(), "cannot read the database");
}

uint64_t Database::Property(Column column, const std::string& name) const {
  uint64_t bytes = 0;
  return db_->GetIntProperty(Handle(column), name, &bytes) ? bytes : 0;
}

uint64_t Database::DiskBytes(Column column) const {
  ReaderLock lock(mutex_);
  if (db_ == nullptr) return 0;
  return Property(column, rocksdb::DB::Properties::kTotalSstFilesSize) +
         Property(column, rocksdb::DB::Properties::kTotalBlobFileSize) +
         Property(column, rocksdb::DB::Properties::kCurSizeAllMemTables);
}

metrics::FootprintList Database::caches() const {
  ReaderLock lock(mutex_);
  metrics::Footprint rows{.name = "database_rows", .items = 0, .bytes = 0};
  metrics::Footprint tables{.name = "database_tables", .items = 0, .bytes = 0};
  if (db_ != nullptr) {
    for (size_t i = 0; i < kColumns; ++i) {
      const auto column = static_cast<Column>(i);
      rows.items += Property(column, rocksdb::DB::Properties::kNumEntriesActiveMemTable);
      rows.bytes += Property(column, rocksdb::DB::Properties::kCurSizeAllMemTables);
    }
    tables.bytes = Property(Column::kMeta, rocksdb::DB::Properties::kBlockCacheUsage);
  }
  return {rows, tables};
}

}  // namespace lean::beacon
