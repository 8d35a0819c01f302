// What RocksDB says of the data that it drops while it opens a database.
#ifndef LEAN_BEACON_STORAGE_DATABASE_RECOVERY_LOG_H_
#define LEAN_BEACON_STORAGE_DATABASE_RECOVERY_LOG_H_

#include <atomic>
#include <cstdarg>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "common/concurrency/mutex.h"
#include "rocksdb/env.h"

namespace lean::beacon {

// RocksDB's log for people, of which only the lines about dropped data are kept, as sentences of ours. As a file in the
// folder such a log ends the process, by an assertion of Debian's RocksDB, at the second line that a failing disk does
// not take. What else matters of it comes as a status, too. Thread-safe.
class RecoveryLog : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char* format, va_list arguments) override;

  // Nothing is kept any more: the database is open. What was kept, at most kMaxLosses.
  std::vector<std::string> TakeLosses();

  static constexpr size_t kMaxLosses = 16;

 private:
  std::atomic<bool> closed_ = false;
  Mutex mutex_;
  std::vector<std::string> losses_ ABSL_GUARDED_BY(mutex_);
};

// RocksDB's words without the name of its error class, which says less than what follows it.
std::string PlainWords(absl::string_view rocksdb_words);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_STORAGE_DATABASE_RECOVERY_LOG_H_
