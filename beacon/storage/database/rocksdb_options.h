// How RocksDB is set up for the columns of a Database: sizes of buffers, log and files.
#ifndef LEAN_BEACON_STORAGE_DATABASE_ROCKSDB_OPTIONS_H_
#define LEAN_BEACON_STORAGE_DATABASE_ROCKSDB_OPTIONS_H_

#include <cstddef>
#include <string>
#include <unordered_map>
#include <vector>

#include "rocksdb/options.h"

namespace lean::beacon {

// The write_buffer_manager of the result is the budget of all columns together.
rocksdb::DBOptions MakeDatabaseOptions(bool create);
// In the order of Column.
std::vector<rocksdb::ColumnFamilyOptions> MakeColumnOptions();

// While large blocks are collected, so that a file has several of them: the budget of all columns together, and the
// changed options of the column of blocks and of the database.
inline constexpr size_t kLargeMemtableBytes = size_t{96} << 20;
std::unordered_map<std::string, std::string> LargeBlockBuffer();
std::unordered_map<std::string, std::string> LargeLog();

}  // namespace lean::beacon

#endif  // LEAN_BEACON_STORAGE_DATABASE_ROCKSDB_OPTIONS_H_
