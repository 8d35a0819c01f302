#include "tests/validator_client/support/memory_signing_records.h"

#include "absl/strings/str_format.h"
#include "common/bytes/bytes.h"

namespace lean::validator {

absl::StatusOr<std::vector<absl::Status>> MemorySigningRecords::Reserve(const std::vector<SigningRequest>& requests) {
  std::vector<absl::Status> results;
  results.reserve(requests.size());
  MutexLock lock(mutex_);
  for (const SigningRequest& request : requests) results.push_back(ReserveOne(request));
  return results;
}

absl::StatusOr<std::optional<uint64_t>> MemorySigningRecords::HighestSlot(const PublicKeyBytes& pubkey) {
  MutexLock lock(mutex_);
  const auto found = newest_.find(pubkey);
  if (found == newest_.end()) return std::nullopt;
  return found->second.slot;
}

absl::StatusOr<bool> MemorySigningRecords::MayHaveSigned(const SigningRequest& vote) {
  MutexLock lock(mutex_);
  const auto found = newest_.find(vote.pubkey);
  if (found == newest_.end() || vote.slot > found->second.slot) return false;
  return vote.slot < found->second.slot || vote.root == found->second.root;
}

absl::StatusOr<std::vector<Root>> MemorySigningRecords::SignedRoots(uint64_t from_slot, size_t limit) {
  MutexLock lock(mutex_);
  std::vector<Root> roots;
  for (const auto& [pubkey, newest] : newest_) {
    if (newest.slot >= from_slot && roots.size() < limit) roots.push_back(newest.root);
  }
  return roots;
}

absl::Status MemorySigningRecords::ForgetWriter() {
  ++forgotten_;
  return absl::OkStatus();
}

absl::Status MemorySigningRecords::ReserveOne(const SigningRequest& request) {
  const auto [entry, inserted] = newest_.try_emplace(request.pubkey, Newest{request.slot, request.root});
  if (inserted) return absl::OkStatus();
  Newest& newest = entry->second;
  if (request.slot == newest.slot) {
    if (request.root == newest.root) return absl::OkStatus();
    return absl::FailedPreconditionError(
        absl::StrFormat("the leaf of slot %u has already signed another root (%s, asked for %s)", request.slot,
                        ShortHex(newest.root.span()), ShortHex(request.root.span())));
  }
  if (request.slot < newest.slot) {
    return absl::FailedPreconditionError(
        absl::StrFormat("slot %u is below the highest signed slot of this key, %u", request.slot, newest.slot));
  }
  newest = Newest{request.slot, request.root};
  return absl::OkStatus();
}

}  // namespace lean::validator
