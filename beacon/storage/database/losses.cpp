#include "beacon/storage/database/losses.h"

#include <cstdio>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "beacon/storage/database/schema.h"
#include "common/bytes/bytes.h"
#include "common/process/whole_file.h"
#include "common/status/status_macros.h"

namespace lean::beacon {
namespace {

constexpr char kTipFile[] = "chain_tip";
constexpr mode_t kTipMode = 0600;
constexpr size_t kMaxBytes = 1024;

std::string PathIn(const std::string& data_dir) { return absl::StrCat(data_dir, "/", kTipFile); }

std::string Line(absl::string_view name, const Checkpoint& id) {
  return absl::StrCat(name, " ", id.slot, " ", ToHex(id.root.span()), "\n");
}

std::optional<Checkpoint> ParseLine(absl::string_view line, absl::string_view name) {
  const std::vector<absl::string_view> words = absl::StrSplit(line, ' ');
  Checkpoint id;
  if (words.size() != 3 || words[0] != name || !absl::SimpleAtoi(words[1], &id.slot)) return std::nullopt;
  const absl::StatusOr<Root> root = ParseFixedHex<Root>(words[2]);
  if (!root.ok()) return std::nullopt;
  id.root = *root;
  return id;
}

// Whether the database has lost a block. One that continues from a later checkpoint has lost nothing.
absl::StatusOr<bool> Lacks(const ChainDatabase& database, const Checkpoint& had, const Checkpoint& has) {
  if (has.slot >= had.slot) return false;
  ASSIGN_OR_RETURN(const auto slot, database.SlotOf(had.root));
  return !slot.has_value();
}

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
  return absl::StrCat("the write-ahead log ", file, " cannot be read to its end (", PlainWords(words),
                      "): what was written after that place is lost");
}

}  // namespace

absl::Status WriteChainTip(const std::string& data_dir, const ChainTip& tip) {
  return WriteWholeFile(PathIn(data_dir), absl::StrCat(Line("head", tip.head), Line("finalized", tip.finalized)),
                        kTipMode, IfExists::kReplace);
}

absl::StatusOr<std::optional<ChainTip>> ReadChainTip(const std::string& data_dir) {
  const absl::StatusOr<std::string> text = ReadTextFile(PathIn(data_dir), kMaxBytes);
  if (absl::IsNotFound(text.status())) return std::nullopt;
  RETURN_IF_ERROR(text.status(), absl::DataLossError(_.message()));
  const std::vector<absl::string_view> lines = absl::StrSplit(*text, '\n');
  if (lines.size() == 3 && lines[2].empty()) {
    const std::optional<Checkpoint> head = ParseLine(lines[0], "head");
    const std::optional<Checkpoint> finalized = ParseLine(lines[1], "finalized");
    if (head.has_value() && finalized.has_value()) return ChainTip{.head = *head, .finalized = *finalized};
  }
  return absl::DataLossError(
      absl::StrCat(PathIn(data_dir), " is damaged: it should say \"head SLOT ROOT\" and \"finalized SLOT ROOT\""));
}

absl::StatusOr<std::optional<std::string>> LostSinceTip(const ChainDatabase& database) {
  ASSIGN_OR_RETURN(const std::optional<ChainTip> tip, ReadChainTip(database.folder()), std::string(_.message()));
  if (!tip.has_value()) return std::nullopt;
  ASSIGN_OR_RETURN(const auto head, database.ReadCheckpoint(meta_key::kHead));
  ASSIGN_OR_RETURN(const auto finalized, database.ReadCheckpoint(meta_key::kFinalized));
  const Checkpoint has_head = head.value_or(database.anchor());
  const Checkpoint has_finalized = finalized.value_or(database.anchor());
  ASSIGN_OR_RETURN(const bool lacks_head, Lacks(database, tip->head, has_head));
  ASSIGN_OR_RETURN(const bool lacks_finalized, Lacks(database, tip->finalized, has_finalized));
  if (!lacks_head && !lacks_finalized) return std::nullopt;
  return absl::StrCat("the chain in ", database.folder(), " is shorter than it was: its head was of slot ",
                      tip->head.slot, " and is of slot ", has_head.slot, ", it had finalized slot ",
                      tip->finalized.slot, " and has finalized slot ", has_finalized.slot);
}

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
