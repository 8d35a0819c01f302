#include "beacon/storage/block_file.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "beacon/storage/database/schema.h"
#include "common/bytes/decimal.h"
#include "common/process/whole_file.h"
#include "common/status/status_macros.h"

namespace lean::beacon {
namespace {

constexpr absl::string_view kBlockFileMagic = "LEANBLK1";
constexpr absl::string_view kBetween = "..";

absl::Status CheckHeld(const ChainDatabase& database, const SlotRange& slots) {
  ASSIGN_OR_RETURN(const auto finalized, database.ReadCheckpoint(meta_key::kFinalized));
  ASSIGN_OR_RETURN(const uint64_t oldest, database.OldestSlot());
  const uint64_t last = finalized.has_value() ? finalized->slot : 0;
  // Genesis has no signatures, and is in every genesis folder.
  if (slots.first >= oldest && slots.last <= last) return absl::OkStatus();
  return absl::OutOfRangeError(absl::StrCat("slots ", slots.first, kBetween, slots.last,
                                            ": finalized blocks are held of slots ", oldest, kBetween, last));
}

absl::StatusOr<uint64_t> WriteBlocks(WholeFile& file, const ChainDatabase& database, const SlotRange& slots) {
  uint64_t blocks = 0;
  for (uint64_t slot = slots.first; slot <= slots.last; ++slot) {
    RETURN_IF_ERROR(database.files().CheckStop());
    ASSIGN_OR_RETURN(const std::optional<Root> root, database.CanonicalRoot(slot));
    if (!root.has_value()) continue;
    ASSIGN_OR_RETURN(const SignedBlockPtr block, database.BlockAt({.root = *root, .slot = slot}));
    if (block == nullptr) return absl::DataLossError(absl::StrCat("the block of slot ", slot, " is not there"));
    const std::string bytes = SszValue(*block);
    RETURN_IF_ERROR(file.Write(absl::StrCat(NumberValue(bytes.size()), bytes)));
    ++blocks;
  }
  return blocks;
}

}  // namespace

absl::StatusOr<SlotRange> ParseSlotRange(absl::string_view text) {
  const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(text, absl::MaxSplits(kBetween, 1));
  const std::optional<uint64_t> first = ParseDecimal(parts.first);
  const std::optional<uint64_t> last = ParseDecimal(parts.second);
  if (!first.has_value() || !last.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat("\"", text, "\" is not FROM..TO, such as 100..199"));
  }
  const SlotRange slots{.first = *first, .last = *last};
  if (slots.last < slots.first) return absl::InvalidArgumentError(absl::StrCat(text, " ends before it begins"));
  return slots;
}

absl::StatusOr<uint64_t> WriteBlockFile(const std::string& path, const ChainDatabase& database,
                                        const SlotRange& slots) {
  RETURN_IF_ERROR(CheckHeld(database, slots));
  ASSIGN_OR_RETURN(WholeFile file, WholeFile::Create(path, 0644));
  RETURN_IF_ERROR(file.Write(kBlockFileMagic));
  ASSIGN_OR_RETURN(const uint64_t blocks, WriteBlocks(file, database, slots));
  RETURN_IF_ERROR(file.PutInPlace(IfExists::kFail));
  return blocks;
}

}  // namespace lean::beacon
