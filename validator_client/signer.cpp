#include "validator_client/signer.h"

#include <latch>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/ssz/ssz.h"

namespace lean::validator {
namespace {

// A vote whose leaf is to be reserved, and where its result belongs.
struct Pending {
  size_t position = 0;
  const ValidatorKey* key = nullptr;
};

}  // namespace

Signer::Signer(std::vector<ValidatorKey> keys, SigningRecords& records, Schedule schedule)
    : keys_(std::move(keys)), records_(records), schedule_(std::move(schedule)) {
  for (size_t i = 0; i < keys_.size(); ++i) position_.emplace(keys_[i].index, i);
}

const ValidatorKey* Signer::Find(uint64_t index) const {
  const auto found = position_.find(index);
  return found == position_.end() ? nullptr : &keys_[found->second];
}

absl::StatusOr<std::optional<uint64_t>> Signer::HighestSlot(const ValidatorKey& key) {
  return records_.HighestSlot(key.key->pubkey());
}

absl::StatusOr<bool> Signer::LeafUsed(const ValidatorKey& key, uint64_t slot) {
  const absl::StatusOr<std::optional<uint64_t>> highest = HighestSlot(key);
  if (!highest.ok()) return highest.status();
  return highest->has_value() && **highest >= slot;
}

absl::Status Signer::CheckActive(const ValidatorKey& key, uint64_t slot) {
  if (const SlotRange active = key.key->active_slots(); !active.Contains(slot)) {
    return absl::FailedPreconditionError(
        absl::StrFormat("slot %u is outside the slots of this key, %u to %u: the validator needs another key", slot,
                        active.first, active.end - 1));
  }
  if (!key.key->prepared_slots().Contains(slot)) {
    return absl::FailedPreconditionError(
        absl::StrFormat("the key is still being prepared for slot %u: it signs once that is done", slot));
  }
  return absl::OkStatus();
}

std::vector<absl::StatusOr<SignatureBytes>> Signer::Sign(uint64_t slot, const std::vector<Attestation>& votes) {
  std::vector<absl::StatusOr<SignatureBytes>> results(votes.size(), absl::InternalError("not signed"));
  std::vector<Pending> pending;
  std::vector<SigningRequest> requests;
  for (size_t i = 0; i < votes.size(); ++i) {
    const Attestation& vote = votes[i];
    const ValidatorKey* key = Find(vote.validator_id);
    if (key == nullptr) {
      results[i] =
          absl::FailedPreconditionError(absl::StrCat("validator ", vote.validator_id, " is not one of this process"));
    } else if (vote.data.slot != slot) {
      results[i] = absl::FailedPreconditionError(
          absl::StrFormat("the vote is for slot %u, the duty is of slot %u", vote.data.slot, slot));
    } else if (absl::Status status = CheckActive(*key, slot); !status.ok()) {
      results[i] = status;
    } else {
      pending.push_back(Pending{i, key});
      requests.push_back(SigningRequest{key->key->pubkey(), slot, ssz::HashTreeRoot(vote)});
    }
  }
  if (requests.empty()) return results;

  const absl::StatusOr<std::vector<absl::Status>> reserved = records_.Reserve(requests);
  std::latch left(static_cast<std::ptrdiff_t>(pending.size()));
  for (size_t j = 0; j < pending.size(); ++j) {
    absl::StatusOr<SignatureBytes>& result = results[pending[j].position];
    const absl::Status& granted = reserved.ok() ? (*reserved)[j] : reserved.status();
    if (!granted.ok()) {
      result = granted;
      left.count_down();
      continue;
    }
    schedule_([&result, &left, &request = requests[j], &key = *pending[j].key->key] {
      result = key.Sign(request.slot, request.root);
      left.count_down();
    });
  }
  left.wait();
  return results;
}

}  // namespace lean::validator
