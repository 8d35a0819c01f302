#include "beacon/storage/database/recovery_log.h"

#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace lean::beacon {
namespace {

// "[WARN] [db/db_impl/db_impl_open.cc:982] (ignoring error) PATH/000004.log: dropping 32 bytes; Corruption: WHY"
constexpr absl::string_view kDropping = ": dropping ";
constexpr absl::string_view kWhy = "; ";

std::string LossOf(absl::string_view line) {
  const size_t dropping = line.find(kDropping);
  const absl::string_view before = line.substr(0, dropping);
  const absl::string_view after = line.substr(dropping + kDropping.size());
  const size_t slash = before.rfind('/');
  const absl::string_view file = slash == absl::string_view::npos ? before : before.substr(slash + 1);
  const size_t why = after.find(kWhy);
  const absl::string_view words = why == absl::string_view::npos ? after : after.substr(why + kWhy.size());
  return absl::StrCat("its write-ahead log ", file, " cannot be read to its end (", PlainWords(words),
                      "): what was written after that place is lost");
}

}  // namespace

void RecoveryLog::Logv(const char* format, va_list arguments) {
  if (closed_) return;
  char text[1024];
  if (vsnprintf(text, sizeof(text), format, arguments) < 0) return;
  const absl::string_view line(text);
  if (line.find(kDropping) == absl::string_view::npos) return;
  MutexLock lock(mutex_);
  if (losses_.size() < kMaxLosses) losses_.push_back(LossOf(line));
}

std::vector<std::string> RecoveryLog::TakeLosses() {
  closed_ = true;
  MutexLock lock(mutex_);
  return std::exchange(losses_, {});
}

std::string PlainWords(absl::string_view rocksdb_words) {
  return absl::StrReplaceAll(rocksdb_words, {{"Corruption: ", ""},
                                             {"Invalid argument: ", ""},
                                             {"IO error: ", ""},
                                             {"SST file is ahead of WALs in CF",
                                              "the write-ahead log ends before the "
                                              "tables that were written from it, of column"}});
}

}  // namespace lean::beacon
