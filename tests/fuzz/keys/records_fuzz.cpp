// Files of signing records, in our form and in that of EIP-3076: parsed strictly or refused; what is parsed comes back
// from both forms; and no imported leaf may sign again.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/fuzz/fuzzing.h"
#include "tests/fuzz/scratch_folder.h"
#include "validator_client/signing/records/interchange.h"
#include "validator_client/signing/records/sqlite_signing_records.h"

namespace lean::fuzz {
namespace {

using validator::InterchangeForm;
using validator::KeyHistory;
using validator::SigningRequest;

using Histories = std::vector<KeyHistory>;

void CheckForms(const Histories& histories) {
  const auto own = validator::ParseInterchange(validator::FormatInterchange(histories, InterchangeForm::kLeaves));
  Require(own.ok() && *own == histories);
  const auto theirs =
      validator::ParseInterchange(validator::FormatEip3076(histories, InterchangeForm::kLeaves, Root{}));
  Require(theirs.ok() && *theirs == histories);
  const auto highest =
      validator::ParseInterchange(validator::FormatInterchange(histories, InterchangeForm::kHighestOnly));
  Require(highest.ok() && highest->size() == histories.size());
  for (const KeyHistory& history : *highest) Require(history.leaves.size() <= 1);
}

// On the disk, which takes a thousand times longer than parsing: only of small files.
void CheckImport(const Histories& histories) {
  const ScratchFolder folder;
  auto records = validator::SqliteSigningRecords::Open({.path = folder.File("records.sqlite"), .create = true});
  Require(records.ok());
  Require((*records)->Import(histories).ok());
  std::map<PublicKeyBytes, uint64_t> highest;
  for (const KeyHistory& history : histories) {
    for (const validator::SignedLeaf& leaf : history.leaves) {
      uint64_t& slot = highest[history.pubkey];
      slot = std::max(slot, leaf.slot);
      Root other;
      other.data.fill(0x5a);
      if (leaf.root == other) continue;
      const auto granted = (*records)->Reserve({SigningRequest{history.pubkey, leaf.slot, other}});
      Require(granted.ok() && absl::IsFailedPrecondition((*granted)[0]));
    }
  }
  for (const auto& [pubkey, slot] : highest) Require(*(*records)->HighestSlot(pubkey) == slot);
  const auto before = (*records)->Export();
  Require(before.ok() && (*records)->Import(histories).ok());
  Require(*(*records)->Export() == *before);
}

}  // namespace
}  // namespace lean::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lean::fuzz;  // NOLINT(google-build-using-namespace): this is the program
  const auto histories = lean::validator::ParseInterchange(TextOf(data, size));
  if (!histories.ok()) {
    Require(histories.status().code() == absl::StatusCode::kInvalidArgument);
    return 0;
  }
  for (const KeyHistory& history : *histories) {
    for (const auto& leaf : history.leaves) Require(leaf.slot < lean::validator::kMaxLeaves);
  }
  CheckForms(*histories);
  if (size % 16 == 0) CheckImport(*histories);
  return 0;
}
