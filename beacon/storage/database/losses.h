// What a database has lost: the file beside it that says how far the chain was, and what RocksDB logs about data that
// it drops while it opens.
#ifndef LEAN_BEACON_STORAGE_DATABASE_LOSSES_H_
#define LEAN_BEACON_STORAGE_DATABASE_LOSSES_H_

#include <atomic>
#include <cstdarg>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "beacon/storage/database/chain_database.h"
#include "common/concurrency/mutex.h"
#include "common/containers/attestation.h"
#include "rocksdb/env.h"

namespace lean::beacon {

// The chain as of a batch that is on disk.
struct ChainTip {
  Checkpoint head;
  Checkpoint finalized;

  friend bool operator==(const ChainTip&, const ChainTip&) = default;
};

// Writes the file DIR/chain_tip atomically (WholeFile). It has two lines: "head SLOT ROOT" and "finalized SLOT ROOT".
absl::Status WriteChainTip(const std::string& data_dir, const ChainTip& tip);
// nullopt: there is no such file. DataLoss: the file is not a chain tip.
absl::StatusOr<std::optional<ChainTip>> ReadChainTip(const std::string& data_dir);

// A message for people: what the database has lost since the tip was written. nullopt: nothing. An unreadable tip
// counts as a loss. Errors as of the database.
absl::StatusOr<std::optional<std::string>> LostSinceTip(const ChainDatabase& database);

// Receives RocksDB's info log and keeps the lines about dropped data, reworded. It replaces RocksDB's log file because
// an assertion in Debian's RocksDB ends the process when a failing disk refuses the second line of that file.
// Thread-safe.
class RecoveryLog : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char* format, va_list arguments) override;

  // Returns what was kept, at most kMaxLosses lines. Nothing is kept afterwards: the database is open.
  std::vector<std::string> TakeLosses();

  static constexpr size_t kMaxLosses = 16;

 private:
  std::atomic<bool> closed_ = false;
  Mutex mutex_;
  std::vector<std::string> losses_ ABSL_GUARDED_BY(mutex_);
};

// RocksDB's message without the name of its error class.
std::string PlainWords(absl::string_view rocksdb_words);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_STORAGE_DATABASE_LOSSES_H_
