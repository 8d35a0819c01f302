#include "beacon/storage/database/rocksdb_options.h"

#include <cstdint>
#include <memory>

#include "absl/strings/str_cat.h"
#include "beacon/storage/database/database.h"
#include "rocksdb/cache.h"
#include "rocksdb/filter_policy.h"
#include "rocksdb/table.h"
#include "rocksdb/write_buffer_manager.h"

namespace lean::beacon {
namespace {

// Small, so that memory and log are flushed often. A block that is larger than the buffer is written at once.
constexpr size_t kMemtableBytes = size_t{16} << 20;  // of all columns together
constexpr size_t kBlockMemtableBytes = size_t{8} << 20;
constexpr size_t kSmallMemtableBytes = size_t{4} << 20;
constexpr size_t kLargeBlockMemtableBytes = size_t{64} << 20;
constexpr size_t kCacheBytes = size_t{4} << 20;  // for keys and the indexes of their tables, not for blocks
constexpr uint64_t kLogBytes = uint64_t{16} << 20;
constexpr uint64_t kLargeLogBytes = kLargeMemtableBytes;
// The list of files grows by each change, and is written anew when it is larger than this. A fresh list has to be much
// smaller, or every change writes the whole list: for 100,000 slots of large blocks it has about 1 MB.
constexpr uint64_t kManifestBytes = uint64_t{16} << 20;
constexpr int kOpenFiles = 128;

// Whether new keys follow those that the column has. In levels, the tables of such a column would never be merged,
// because their keys do not overlap, and RocksDB takes time for all tables whenever it adds one. A large block has a
// table of its own. Universal compaction merges them; of blocks it writes keys only.
bool HasAscendingKeys(Column column) {
  return column == Column::kBlocks || column == Column::kCanonical || column == Column::kStates;
}

rocksdb::ColumnFamilyOptions OptionsOf(Column column, const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions options;
  const bool large = column == Column::kBlocks;
  options.write_buffer_size = large ? kBlockMemtableBytes : kSmallMemtableBytes;
  // Blocks are in separate files (blob files), so they are not written again when keys are sorted, which happens when
  // backfill adds old blocks or old blocks are deleted. A file is deleted when all of it is garbage. Its blocks have
  // similar ages, so none need to be moved for that.
  options.enable_blob_files = large;
  // 96 % of a block are signatures, which cannot be compressed.
  options.blob_compression_type = rocksdb::kNoCompression;
  options.compression = column == Column::kVotes ? rocksdb::kNoCompression : rocksdb::kLZ4Compression;
  if (HasAscendingKeys(column)) options.compaction_style = rocksdb::kCompactionStyleUniversal;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.cache_index_and_filter_blocks = true;
  if (column == Column::kSlots) table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

}  // namespace

rocksdb::DBOptions MakeDatabaseOptions(bool create) {
  rocksdb::DBOptions options;
  options.create_if_missing = create;
  options.create_missing_column_families = create;
  options.write_buffer_manager = std::make_shared<rocksdb::WriteBufferManager>(kMemtableBytes);
  options.max_total_wal_size = kLogBytes;
  options.max_manifest_file_size = kManifestBytes;
  options.max_open_files = kOpenFiles;
  options.max_background_jobs = 2;
  options.bytes_per_sync = uint64_t{1} << 20;
  // Reads a log that a crash has truncated up to its last complete batch.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  return options;
}

std::vector<rocksdb::ColumnFamilyOptions> MakeColumnOptions() {
  const std::shared_ptr<rocksdb::Cache> cache = rocksdb::NewLRUCache(kCacheBytes);
  std::vector<rocksdb::ColumnFamilyOptions> options;
  for (size_t i = 0; i < kColumns; ++i) options.push_back(OptionsOf(static_cast<Column>(i), cache));
  return options;
}

std::unordered_map<std::string, std::string> LargeBlockBuffer() {
  return {{"write_buffer_size", absl::StrCat(kLargeBlockMemtableBytes)}};
}

std::unordered_map<std::string, std::string> LargeLog() {
  return {{"max_total_wal_size", absl::StrCat(kLargeLogBytes)}};
}

}  // namespace lean::beacon
