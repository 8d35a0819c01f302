// Signing records in an SQLite file.
#ifndef LEAN_VALIDATOR_CLIENT_SIGNING_RECORDS_SQLITE_SIGNING_RECORDS_H_
#define LEAN_VALIDATOR_CLIENT_SIGNING_RECORDS_SQLITE_SIGNING_RECORDS_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/concurrency/mutex.h"
#include "common/process/process_lock.h"
#include "validator_client/signing/records/interchange.h"
#include "validator_client/signing/records/records_database.h"
#include "validator_client/signing/records/records_merge.h"
#include "validator_client/signing/signing_records.h"

namespace lean::validator {

// Identifies a machine and how long it has been running.
struct Machine {
  std::string id;                      // /etc/machine-id; empty where there is none
  std::string boot;                    // /proc/sys/kernel/random/boot_id; empty where there is none
  std::function<int64_t()> uptime_ms;  // since that boot, including suspended time; never decreases

  static Machine This();
};

// Thread-safe. Reserve makes one transaction and one sync for each batch: what it grants is on the disk when it
// returns.
//
// After an error of a batch it is unknown whether its leaves are in the file. The next batch opens the file again, so
// that duties continue as soon as, for example, a full disk has room.
class SqliteSigningRecords : public SigningRecords {
 public:
  struct Options {
    std::string path;
    bool create = false;  // create a missing file
    Machine machine = Machine::This();
  };

  // Locks PATH.lock, then opens the file. Errors: those of ProcessLock::Acquire and RecordsDatabase::Open.
  static absl::StatusOr<std::unique_ptr<SqliteSigningRecords>> Open(Options options);

  absl::StatusOr<std::vector<absl::Status>> Reserve(const std::vector<SigningRequest>& requests) override;
  absl::StatusOr<std::optional<uint64_t>> HighestSlot(const PublicKeyBytes& pubkey) override;
  absl::StatusOr<bool> MayHaveSigned(const SigningRequest& vote) override;
  absl::StatusOr<std::vector<Root>> SignedRoots(uint64_t from_slot, size_t limit) override;
  // After this, last_write_age() of the next Open is nullopt, whatever is written until then.
  absl::Status ForgetWriter() override;

  // The age of the last record at Open, if this machine wrote it to this very file since it booted. nullopt: another
  // machine wrote it, the file was copied, its records were exported or imported since, or it has no records.
  std::optional<std::chrono::milliseconds> last_write_age() const { return last_write_age_; }

  // The records of all keys. Also does ForgetWriter, since the keys may move to another machine.
  absl::StatusOr<std::vector<KeyHistory>> Export();

  // MergeHistories in one transaction: all or nothing.
  absl::StatusOr<ImportSummary> Import(const std::vector<KeyHistory>& histories);

 private:
  SqliteSigningRecords(Options options, ProcessLock lock) : options_(std::move(options)), lock_(std::move(lock)) {}

  absl::Status EnsureOpen() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status ReadLastWriteAge() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status WriteLastWriter() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status ForgetWriterLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<std::vector<absl::Status>> ReserveBatch(const std::vector<SigningRequest>& requests)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<bool> MayHaveSignedLocked(const SigningRequest& vote) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The result of one request.
  struct Verdict {
    absl::Status granted;
    bool changed = false;         // the request has changed the tables
    uint64_t highest_before = 0;  // if it has: the key's highest slot before, or this slot for a new key
  };
  static Verdict Refused(const std::string& why) { return Verdict{.granted = absl::FailedPreconditionError(why)}; }
  absl::StatusOr<Verdict> Grant(const RecordsDatabase::Key& key, const SigningRequest& request)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<Verdict> ReserveOne(const SigningRequest& request) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Options options_;
  const ProcessLock lock_;
  std::optional<std::chrono::milliseconds> last_write_age_;
  Mutex mutex_;
  std::unique_ptr<RecordsDatabase> database_ ABSL_GUARDED_BY(mutex_);  // null after an error
  FileIdentity file_ ABSL_GUARDED_BY(mutex_);                          // that database_ has open
  bool writer_forgotten_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_SIGNING_RECORDS_SQLITE_SIGNING_RECORDS_H_
