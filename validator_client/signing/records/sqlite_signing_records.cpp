#include "validator_client/signing/records/sqlite_signing_records.h"

#include <time.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/bytes/bytes.h"
#include "common/status/status_macros.h"
#include "validator_client/signing/records/key_locks.h"

namespace lean::validator {
namespace {

// ReadTextFile does not read files in /proc, which have size 0.
std::string FirstLine(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// Resolves links, so that the lock is the same for all paths to the file.
std::string RealPath(const std::string& path) {
  std::error_code error;
  const std::filesystem::path real = std::filesystem::weakly_canonical(path, error);
  return error ? path : real.string();
}

}  // namespace

Machine Machine::This() {
  return Machine{FirstLine("/etc/machine-id"), FirstLine("/proc/sys/kernel/random/boot_id"), [] {
                   timespec now{};
                   clock_gettime(CLOCK_BOOTTIME, &now);
                   return static_cast<int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
                 }};
}

absl::StatusOr<std::unique_ptr<SqliteSigningRecords>> SqliteSigningRecords::Open(Options options) {
  options.path = RealPath(options.path);
  std::error_code ignored;
  if (!options.create && !std::filesystem::exists(options.path, ignored)) {
    return absl::NotFoundError(absl::StrCat("there are no signing records at ", options.path));
  }
  ASSIGN_OR_RETURN(ProcessLock lock,
                   ProcessLock::Acquire(absl::StrCat(options.path, ".lock"),
                                        absl::StrCat("the signing records ", options.path), kTwoSigners));
  std::unique_ptr<SqliteSigningRecords> records(new SqliteSigningRecords(std::move(options), std::move(lock)));
  MutexLock guard(records->mutex_);
  ASSIGN_OR_RETURN(records->database_, RecordsDatabase::Open(records->options_.path, records->options_.create));
  ASSIGN_OR_RETURN(records->file_, FileIdentity::Of(records->options_.path));
  RETURN_IF_ERROR(records->ReadLastWriteAge());
  return records;
}

absl::Status SqliteSigningRecords::ReadLastWriteAge() {
  ASSIGN_OR_RETURN(const std::optional<LastWriter> writer, database_->GetLastWriter());
  if (!writer.has_value()) return absl::OkStatus();
  const LastWriter& last = *writer;
  const Machine& here = options_.machine;
  if (here.boot.empty() || last.boot != here.boot || last.machine != here.id) return absl::OkStatus();
  if (FileIdentity{last.device, last.inode} != file_) return absl::OkStatus();
  const int64_t age_ms = here.uptime_ms() - last.uptime_ms;
  if (age_ms >= 0) last_write_age_ = std::chrono::milliseconds(age_ms);
  return absl::OkStatus();
}

absl::Status SqliteSigningRecords::EnsureOpen() {
  if (database_ == nullptr) {
    // Does not create a missing file again: its records are lost.
    ASSIGN_OR_RETURN(database_, RecordsDatabase::Open(options_.path, false));
  }
  const absl::StatusOr<FileIdentity> file = FileIdentity::Of(options_.path);
  if (file.ok() && *file == file_) return absl::OkStatus();
  database_.reset();
  return absl::FailedPreconditionError(absl::StrCat(
      options_.path, " was moved, deleted or replaced while in use: stop, put the right file there, and start again"));
}

absl::StatusOr<std::vector<absl::Status>> SqliteSigningRecords::Reserve(const std::vector<SigningRequest>& requests) {
  MutexLock lock(mutex_);
  RETURN_IF_ERROR(EnsureOpen());
  absl::StatusOr<std::vector<absl::Status>> results = ReserveBatch(requests);
  if (!results.ok()) database_.reset();
  return results;
}

absl::StatusOr<std::vector<absl::Status>> SqliteSigningRecords::ReserveBatch(
    const std::vector<SigningRequest>& requests) {
  RETURN_IF_ERROR(database_->Begin());
  std::vector<absl::Status> results;
  results.reserve(requests.size());
  bool changed = false;
  uint64_t oldest = std::numeric_limits<uint64_t>::max();
  uint64_t newest = 0;
  for (const SigningRequest& request : requests) {
    ASSIGN_OR_RETURN(Verdict verdict, ReserveOne(request));
    changed = changed || verdict.changed;
    if (verdict.changed) {
      oldest = std::min(oldest, verdict.highest_before);
      newest = std::max(newest, request.slot);
    }
    results.push_back(std::move(verdict.granted));
  }
  if (!changed) {
    RETURN_IF_ERROR(database_->Rollback());
    return results;
  }
  if (newest >= kKeptSlots) {
    // Earlier slots have leaves of other keys only.
    RETURN_IF_ERROR(database_->Prune(oldest - std::min(oldest, kKeptSlots - 1), newest - kKeptSlots + 1));
  }
  if (!writer_forgotten_) {
    RETURN_IF_ERROR(WriteLastWriter());
  }
  RETURN_IF_ERROR(database_->Commit());
  return results;
}

absl::StatusOr<SqliteSigningRecords::Verdict> SqliteSigningRecords::ReserveOne(const SigningRequest& request) {
  if (request.slot >= kMaxLeaves)
    return Refused(absl::StrFormat("slot %u is beyond the leaves of any key", request.slot));
  ASSIGN_OR_RETURN(const std::optional<RecordsDatabase::Key> key, database_->FindKey(request.pubkey));
  if (!key.has_value()) {
    ASSIGN_OR_RETURN(const RecordsDatabase::Key added, database_->AddKey(request.pubkey, request.slot));
    return Grant(added, request);
  }
  const RecordsDatabase::Key& known = *key;
  if (request.slot > known.highest_slot) {
    RETURN_IF_ERROR(database_->SetHighestSlot(known.id, request.slot));
    return Grant(known, request);
  }
  ASSIGN_OR_RETURN(const std::optional<RecordsDatabase::KeptLeaf> kept, database_->FindLeaf(known.id, request.slot));
  if (!kept.has_value()) {
    return Refused(absl::StrFormat("slot %u is not above the highest signed slot of this key, %u", request.slot,
                                   known.highest_slot));
  }
  const std::optional<Root>& root = kept->root;
  if (!root.has_value()) {
    return Refused(absl::StrFormat("the leaf of slot %u has signed an unknown root or two roots: it may not sign again",
                                   request.slot));
  }
  if (*root == request.root) return Verdict{.granted = absl::OkStatus()};
  return Refused(absl::StrFormat("the leaf of slot %u has already signed another root (%s, asked for %s)", request.slot,
                                 ShortHex(root->span()), ShortHex(request.root.span())));
}

absl::StatusOr<SqliteSigningRecords::Verdict> SqliteSigningRecords::Grant(const RecordsDatabase::Key& key,
                                                                          const SigningRequest& request) {
  RETURN_IF_ERROR(database_->PutLeaf(key.id, SignedLeaf{request.slot, request.root}));
  return Verdict{.granted = absl::OkStatus(), .changed = true, .highest_before = key.highest_slot};
}

absl::Status SqliteSigningRecords::WriteLastWriter() {
  const Machine& here = options_.machine;
  return database_->SetLastWriter(LastWriter{here.id, here.boot, file_.device, file_.inode, here.uptime_ms()});
}

absl::StatusOr<std::optional<uint64_t>> SqliteSigningRecords::HighestSlot(const PublicKeyBytes& pubkey) {
  MutexLock lock(mutex_);
  RETURN_IF_ERROR(EnsureOpen());
  const absl::StatusOr<std::optional<RecordsDatabase::Key>> key = database_->FindKey(pubkey);
  if (!key.ok()) {
    database_.reset();
    return key.status();
  }
  if (!key->has_value()) return std::nullopt;
  return (*key)->highest_slot;
}

absl::StatusOr<bool> SqliteSigningRecords::MayHaveSigned(const SigningRequest& vote) {
  MutexLock lock(mutex_);
  RETURN_IF_ERROR(EnsureOpen());
  absl::StatusOr<bool> result = MayHaveSignedLocked(vote);
  if (!result.ok()) database_.reset();
  return result;
}

absl::StatusOr<bool> SqliteSigningRecords::MayHaveSignedLocked(const SigningRequest& vote) {
  ASSIGN_OR_RETURN(const std::optional<RecordsDatabase::Key> key, database_->FindKey(vote.pubkey));
  if (!key.has_value() || vote.slot > key->highest_slot) return false;
  ASSIGN_OR_RETURN(const std::optional<RecordsDatabase::KeptLeaf> leaf, database_->FindLeaf(key->id, vote.slot));
  if (!leaf.has_value()) return key->highest_slot - vote.slot >= kKeptSlots;
  const std::optional<Root>& root = leaf->root;
  return !root.has_value() || *root == vote.root;
}

absl::StatusOr<std::vector<Root>> SqliteSigningRecords::SignedRoots(uint64_t from_slot, size_t limit) {
  MutexLock lock(mutex_);
  RETURN_IF_ERROR(EnsureOpen());
  absl::StatusOr<std::vector<Root>> roots = database_->RootsFrom(from_slot, limit);
  if (!roots.ok()) database_.reset();
  return roots;
}

absl::Status SqliteSigningRecords::ForgetWriter() {
  MutexLock lock(mutex_);
  RETURN_IF_ERROR(EnsureOpen());
  absl::Status status = ForgetWriterLocked();
  if (!status.ok()) database_.reset();
  return status;
}

absl::Status SqliteSigningRecords::ForgetWriterLocked() {
  writer_forgotten_ = true;
  return database_->ClearLastWriter();
}

absl::StatusOr<std::vector<KeyHistory>> SqliteSigningRecords::Export() {
  MutexLock lock(mutex_);
  RETURN_IF_ERROR(EnsureOpen());
  absl::StatusOr<std::vector<KeyHistory>> histories = database_->Histories();
  absl::Status status = histories.ok() ? ForgetWriterLocked() : histories.status();
  if (!status.ok()) {
    database_.reset();
    return status;
  }
  return histories;
}

absl::StatusOr<ImportSummary> SqliteSigningRecords::Import(const std::vector<KeyHistory>& histories) {
  MutexLock lock(mutex_);
  RETURN_IF_ERROR(EnsureOpen());
  // MergeHistories clears the last writer in its transaction.
  writer_forgotten_ = true;
  absl::StatusOr<ImportSummary> summary = MergeHistories(histories, *database_);
  if (!summary.ok()) database_.reset();
  return summary;
}

}  // namespace lean::validator
