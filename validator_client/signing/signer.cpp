#include "validator_client/signing/signer.h"

#include <algorithm>
#include <latch>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/bytes/bytes.h"
#include "common/ssz/ssz.h"
#include "common/status/status_macros.h"

namespace lean::validator {
namespace {

// A vote whose leaf will be reserved, and the index of its result.
struct Pending {
  size_t position = 0;
  const ValidatorKey* key = nullptr;
};

}  // namespace

KeySet::KeySet(std::vector<ValidatorKey> keys) : keys_(std::move(keys)) {
  for (size_t i = 0; i < keys_.size(); ++i) position_.emplace(keys_[i].index, i);
}

const ValidatorKey* KeySet::Find(uint64_t index) const {
  const auto found = position_.find(index);
  return found == position_.end() ? nullptr : &keys_[found->second];
}

const ValidatorKey* KeySet::Find(const PublicKeyBytes& pubkey) const {
  const auto found = std::find_if(keys_.begin(), keys_.end(),
                                  [&pubkey](const ValidatorKey& key) { return key.key->pubkey() == pubkey; });
  return found == keys_.end() ? nullptr : &*found;
}

Signer::Signer(std::vector<ValidatorKey> keys, SigningRecords& records, SlotLimit& limit, Schedule schedule)
    : keys_(std::make_shared<const KeySet>(std::move(keys))),
      records_(records),
      limit_(limit),
      schedule_(std::move(schedule)) {}

KeySetPtr Signer::keys() const {
  ReaderLock lock(mutex_);
  return keys_;
}

absl::Status Signer::Add(ValidatorKey key) {
  WriterLock lock(mutex_);
  if (keys_->Find(key.index) != nullptr || keys_->Find(key.key->pubkey()) != nullptr) {
    return absl::AlreadyExistsError(absl::StrFormat("validator %u, or its key %s, is one of this process already",
                                                    key.index, ShortHex(key.key->pubkey().span())));
  }
  std::vector<ValidatorKey> keys = keys_->all();
  keys.push_back(std::move(key));
  keys_ = std::make_shared<const KeySet>(std::move(keys));
  return absl::OkStatus();
}

std::optional<ValidatorKey> Signer::Remove(const PublicKeyBytes& pubkey) {
  WriterLock lock(mutex_);
  const ValidatorKey* found = keys_->Find(pubkey);
  if (found == nullptr) return std::nullopt;
  const ValidatorKey removed = *found;
  std::vector<ValidatorKey> keys = keys_->all();
  std::erase_if(keys, [&pubkey](const ValidatorKey& key) { return key.key->pubkey() == pubkey; });
  keys_ = std::make_shared<const KeySet>(std::move(keys));
  MutexLock highest_lock(highest_mutex_);
  highest_at_start_.erase(pubkey);  // it may come again with other records
  return removed;
}

absl::StatusOr<std::optional<uint64_t>> Signer::HighestSlot(const ValidatorKey& key) {
  return records_.HighestSlot(key.key->pubkey());
}

absl::StatusOr<bool> Signer::LeafUsed(const ValidatorKey& key, uint64_t slot) {
  ASSIGN_OR_RETURN(const std::optional<uint64_t> highest, HighestSlot(key));
  return highest.has_value() && *highest >= slot;
}

absl::Status Signer::CheckLimit(const ValidatorKey& key, uint64_t slot) {
  MutexLock lock(highest_mutex_);
  // A key signs nothing before its first check, so its records are still those of the start.
  auto found = highest_at_start_.find(key.key->pubkey());
  if (found == highest_at_start_.end()) {
    ASSIGN_OR_RETURN(const std::optional<uint64_t> highest, HighestSlot(key));
    found = highest_at_start_.emplace(key.key->pubkey(), highest).first;
  }
  return limit_.Check(found->second, slot);
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
  ReaderLock lock(mutex_);
  std::vector<absl::StatusOr<SignatureBytes>> results(votes.size(), absl::InternalError("not signed"));
  std::vector<Attestation> passed;
  std::vector<size_t> positions;
  for (size_t i = 0; i < votes.size(); ++i) {
    const ValidatorKey* key = keys_->Find(votes[i].validator_id);
    if (key == nullptr) {
      results[i] = absl::FailedPreconditionError(
          absl::StrCat("validator ", votes[i].validator_id, " is not one of this process"));
    } else if (absl::Status status = CheckLimit(*key, slot); !status.ok()) {
      results[i] = status;
    } else {
      passed.push_back(votes[i]);
      positions.push_back(i);
    }
  }
  std::vector<absl::StatusOr<SignatureBytes>> signatures = SignWith(*keys_, slot, passed);
  for (size_t i = 0; i < positions.size(); ++i) results[positions[i]] = std::move(signatures[i]);
  return results;
}

std::vector<absl::StatusOr<SignatureBytes>> Signer::SignWith(const KeySet& keys, uint64_t slot,
                                                             const std::vector<Attestation>& votes) {
  std::vector<absl::StatusOr<SignatureBytes>> results(votes.size(), absl::InternalError("not signed"));
  std::vector<Pending> pending;
  std::vector<SigningRequest> requests;
  for (size_t i = 0; i < votes.size(); ++i) {
    const Attestation& vote = votes[i];
    const ValidatorKey& key = *keys.Find(vote.validator_id);
    if (vote.data.slot != slot) {
      results[i] = absl::FailedPreconditionError(
          absl::StrFormat("the vote is for slot %u, the duty is of slot %u", vote.data.slot, slot));
    } else if (absl::Status status = CheckActive(key, slot); !status.ok()) {
      results[i] = status;
    } else {
      pending.push_back(Pending{i, &key});
      requests.push_back(SigningRequest{key.key->pubkey(), slot, ssz::HashTreeRoot(vote)});
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
